"""A robust additive model of a logarithm: the sum of one effect per group, each shrunk to its prior.

Fitted by iteratively reweighted least squares with a Gaussian prior (a ridge) and Student-t noise, so
that neither a few wild observations nor one observer who is always wrong moves the others' effects.
Sources: Gelman & Hill 2007, ch. 12 (partial pooling); Lange, Little & Taylor 1989 (t-distributed errors
by EM).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]

_T_FREEDOM: Final = 5.0
_ROUNDS: Final = 12
_NORMAL_90: Final = 1.2816
_LIAR: Final = 0.25
"""An observer whose effect is beyond this (28% of the value) is believed to be wrong, not slow."""


@dataclass(frozen=True, slots=True)
class Group:
    """Codes 0..size-1 per observation, and the prior covariance (size, size) of their effects around 0."""

    codes: Ints
    prior: Floats
    shares: Floats | None = None
    """(n, size), rows adding up to 1: how much of each effect an observation has, where not all of one."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Effects and their standard deviations per group, in the groups' order.

    sd is the noise of one observation. z90 says how many times sqrt(sd² + the effects' own variances,
    the observer's left out) the 90th percentile lies above the median. residuals are what the effects
    leave of each observation, trust (0 to 1) how far its observer was believed.
    """

    effects: tuple[Floats, ...]
    effect_sds: tuple[Floats, ...]
    sd: float
    z90: float
    residuals: Floats
    trust: Floats


def independent(size: int, sd: float) -> Floats:
    """The prior of effects that know nothing of one another."""
    return np.eye(size) * sd * sd


def fit(y: Floats, weight: Floats, groups: Sequence[Group], observer: int, least_sd: float = 0.03) -> Fit:
    """The effects that explain y, each observation counting `weight` (1 is full).

    `observer` is the index of the group that says who observed: an observer far off gets an effect of
    their own size instead of a shrunk one, and one who is erratic counts less. Shapes: y, weight and
    codes are (n,), n > 0.
    """
    sizes = [group.prior.shape[0] for group in groups]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    design = csr_matrix(hstack([_columns(group, len(y)) for group in groups]))
    precision = np.zeros((int(starts[-1]), int(starts[-1])))
    for group, start, size in zip(groups, starts, sizes, strict=False):
        precision[start : start + size, start : start + size] = np.linalg.inv(group.prior)
    who = groups[observer].codes
    own = np.arange(starts[observer], starts[observer + 1])
    observer_sd = np.sqrt(np.diag(groups[observer].prior))
    sd = max(least_sd, 1.4826 * float(np.median(np.abs(y - np.median(y)))))
    believed, trust = np.ones(len(y)), np.ones(len(y))
    for _ in range(_ROUNDS):
        used = weight * believed * trust / (sd * sd)
        covariance = np.linalg.inv((design.T @ design.multiply(used[:, None])).toarray() + precision)
        beta = covariance @ (design.T @ (used * y))
        residuals = y - design @ beta
        trust = (_T_FREEDOM + 1) / (_T_FREEDOM + (residuals / sd) ** 2)
        full = weight * believed
        sd = max(least_sd, float(np.sqrt((full * trust * residuals**2).sum() / full.sum())))
        precision[own, own] = (
            1.0 / np.maximum(observer_sd, 3.0 * np.abs(beta[own]) * (np.abs(beta[own]) > _LIAR)) ** 2
        )
        believed = np.minimum(1.0, (1.5 * sd / _spread(residuals, who, sizes[observer], sd)) ** 2)[who]
    leverage = np.asarray(design.multiply(design @ covariance).sum(axis=1)).ravel()
    unseen = residuals / (1.0 - np.minimum(0.9, leverage * used))
    variance = np.diag(covariance)
    told = [
        variance[a + group.codes]
        for k, (a, group) in enumerate(zip(starts, groups, strict=False))
        if k != observer
    ]
    standard = unseen / np.sqrt(sd * sd + np.sum(told, axis=0))
    steady = weight * believed * (np.abs(beta[own]) <= _LIAR)[who]
    parts = [slice(a, b) for a, b in pairwise(starts)]
    sds = np.sqrt(variance)
    return Fit(
        effects=tuple(beta[part] for part in parts),
        effect_sds=tuple(sds[part] for part in parts),
        sd=sd,
        z90=_z90(standard, steady),
        residuals=residuals,
        trust=believed,
    )


def _columns(group: Group, observations: int) -> csr_matrix:
    if group.shares is not None:
        return csr_matrix(group.shares)
    shape = (observations, group.prior.shape[0])
    return csr_matrix((np.ones(observations), (np.arange(observations), group.codes)), shape=shape)


def _spread(residuals: Floats, who: Ints, count: int, sd: float) -> Floats:
    """Each observer's own spread, shrunk to the common one as if by ten observations."""
    seen = np.bincount(who, minlength=count)
    squares = np.bincount(who, weights=np.minimum(residuals**2, 25 * sd * sd), minlength=count)
    return np.sqrt((squares + 10 * sd * sd) / (seen + 10))


def _z90(standard: Floats, weight: Floats) -> float:
    """The observed 90th percentile of standardised errors, shrunk to the normal one as if by 20
    observations."""
    if weight.sum() <= 0:
        return _NORMAL_90
    seen = weighted_quantile(standard, weight, 0.9)
    count = float(weight.sum() ** 2 / (weight**2).sum())
    return (count * seen + 20 * _NORMAL_90) / (count + 20)


def weighted_quantile(values: Floats, weight: Floats, share: float) -> float:
    """The value below which `share` of the weight lies, interpolated between the middles of the weights."""
    order = np.argsort(values)
    total = np.cumsum(weight[order])
    middle = (total - weight[order] / 2) / total[-1]
    return float(np.interp(share, middle, values[order]))
