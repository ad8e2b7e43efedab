"""Calls to providers that the installation or a company chose: each carries the trace it is made for, and is a span
where somebody wants those. What is asked stays out of it: addresses carry tokens."""

import httpx

from dispatch.domain.tracing import answered, span, tracing_headers


def client(timeout_s: float, base_url: str = "", headers: dict[str, str] | None = None) -> httpx.Client:
    """A client for one provider; proxies of the environment do not apply. May be used from several threads."""
    return httpx.Client(
        base_url=base_url, timeout=timeout_s, headers=headers, trust_env=False, transport=_Traced()
    )


class _Traced(httpx.HTTPTransport):
    def __init__(self) -> None:
        super().__init__(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with span(f"{request.method} {request.url.host}", "client") as told:
            request.headers.update(tracing_headers())
            answer = super().handle_request(request)
            answered(told, answer.status_code)
        return answer
