"""How the kernels are compiled: kept on disk between runs, and without reference counts for their array arguments.

Counting references at every array access made the search five times slower; `kernel` functions therefore allocate nothing.
A call that hands on all facts and the draft copies hundreds of words, about a microsecond: what a round calls is put
into its callers, by LLVM (`kernel_flat`) or before (`kernel_inline`). LLVM works through every callee anew for each compiled
caller, and numba anew for each place: what has one caller is `kernel_inline`, without a compiled form of its own.
"""

from __future__ import annotations

from typing import Any, Final

from numba import njit

_PLAIN_REFERENCES: Final[dict[str, Any]] = {"_nrt": False}  # an option numba has and its annotations lack
kernel = njit(cache=True, **_PLAIN_REFERENCES)
kernel_flat = njit(cache=True, forceinline=True, **_PLAIN_REFERENCES)
kernel_inline = njit(inline="always", **_PLAIN_REFERENCES)
