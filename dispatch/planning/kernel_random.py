"""A small random source inside the kernels: xorshift64*, so that a seed gives the same plan with any library version."""

from __future__ import annotations

import numpy as np

from dispatch.planning.kernel import kernel_inline


@kernel_inline
def uniform(rng):
    """The next number in [0, 1); `rng` is uint64 (1,), never 0."""
    x = rng[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    rng[0] = x
    return np.float64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel_inline
def below(rng, n):
    """A whole number in 0..n-1."""
    return int(uniform(rng) * n)
