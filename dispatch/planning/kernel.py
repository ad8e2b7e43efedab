"""How the kernels are compiled: kept on disk between runs, and without reference counts for their array arguments.

Counting references at every array access made the search five times slower; `kernel` functions therefore allocate nothing.
"""

from __future__ import annotations

from numba import njit

kernel = njit(cache=True, _nrt=False)
kernel_inline = njit(inline="always", _nrt=False)
