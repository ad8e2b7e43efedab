"""Routes read back from a draft, as nodes in order."""

from __future__ import annotations

from dispatch.planning import layout as col
from dispatch.planning.kernel_types import Draft

Routes = list[list[int]]  # nodes in order, one list for each engineer


def routes_of(draft: Draft) -> Routes:
    """Of the best plan kept."""
    return [draft.best_stop[m, 1 : n + 1].tolist() for m, n in enumerate(draft.best_length)]


def rows_of(draft: Draft) -> Routes:
    """Of the draft as it stands."""
    return [row_of(draft, m) for m in range(draft.length.shape[0])]


def row_of(draft: Draft, m: int) -> list[int]:
    """Engineer `m`'s, as the draft stands."""
    row: list[int] = draft.stop[m, 1 : int(draft.length[m]) + 1, col.NODE].tolist()
    return row
