"""Why a request could not be done. `code` is the stable public name of each reason."""


class DispatchError(Exception):
    """A refusal the caller can act on; anything else is a bug and stays a 500.

    `facts` holds plain JSON values only: ids, codes and numbers, never personal data.
    """

    code = "dispatch_error"

    def __init__(self, code: str | None = None, **facts: object) -> None:
        if code is not None:
            self.code = code
        super().__init__(f"{self.code} {facts}")
        self.facts = facts


class NotFound(DispatchError):
    """No such thing, or not this caller's: the two are the same answer on purpose."""

    code = "not_found"


class Forbidden(DispatchError):
    """Never theirs to do, whatever the status."""

    code = "forbidden"


class Conflict(DispatchError):
    """True a moment ago, no longer: the caller should reload."""

    code = "conflict"


class NotReady(DispatchError):
    """Right action, right time, but something is missing or malformed."""

    code = "not_ready"
