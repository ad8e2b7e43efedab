"""Lists an admin writes line by line."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from dispatch.domain.errors import NotReady


def plain_lines(lines: Sequence[BaseModel], *key: str) -> list[dict[str, Any]]:
    """Plain lines. Raises NotReady `line_twice` where two have one key."""
    plain = [line.model_dump() for line in lines]
    keys = [tuple(line[name] for name in key) for line in plain]
    if len(set(keys)) < len(keys):
        raise NotReady("line_twice", key=list(key))
    return plain
