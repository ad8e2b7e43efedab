"""What the OpenAPI says besides the happy reply: which problems an operation may answer with."""

from typing import Any

from mobile_contract.v1 import Problem

#: Any operation may find the database away.
_ALWAYS = (503,)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses of type Problem for these statuses, and 503."""
    return {
        status: {
            "description": "Problem",
            "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
        }
        for status in sorted({*statuses, *_ALWAYS})
    }


ERRORS = problems(401, 403)

#: The request's body is a picture.
IMAGE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            media: {"schema": {"type": "string", "format": "binary"}}
            for media in ("image/jpeg", "image/png", "image/webp", "image/heic", "application/octet-stream")
        },
    }
}
