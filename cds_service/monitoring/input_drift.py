"""Whether an input is distributed as before: the population stability index, with a limit at the volume seen.

PSI = sum over bins of (share now - share before) x log(share now / share before). Where nothing changes it is about
(1/n + 1/m) times a chi-square of bins - 1 (Yurdakul B, Naranjo J. Statistical properties of the population stability
index. J Risk Model Valid 2020;14(4), https://doi.org/10.21314/JRMV.2020.227); of few values the limit is drawn from
that very null instead, 100,000 times. The fixed 0.1 and 0.25 are passed by chance each week at 50 operations.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from cds_service.monitoring.markov import Values

BINS = 5
# Of fewer values a bin is expected to hold under two; nothing is judged.
FEWEST = 10
FEWEST_BEFORE = 60
_DRAWS = 100_000
_AT_ONCE = 20_000
# Volumes for which a limit is drawn; a week has that of the next smaller one, which is higher.
_VOLUMES = (10, 12, 15, 18, 22, 27, 33, 40, 50, 60, 75, 90, 110, 135, 165, 200, 250, 300, 400, 500, 700, 1000)
_VOLUMES_BEFORE = (60, 100, 200, 400, 1000)
_SEED = 20261129
# Earlier weeks that differ more than chance lets them raise the limit (Rao and Scott 1981,
# https://doi.org/10.1080/01621459.1981.10477633); a week far out teaches no more than this.
_TEACHES = 8.0
# One value, spread as all of them are, is added to both sides, so that an empty part has a logarithm.
_HALF = 0.5


def edges(before: Values) -> Values:
    """What cuts the earlier values in equal parts; fewer parts where many are the same."""
    cuts = np.quantile(before, np.linspace(0, 1, BINS + 1)[1:-1], method="lower")
    return np.unique(cuts[cuts < before.max()])


def binned(values: Values, cuts: Values) -> Values:
    """How many values lie in each part; a value on a cut lies below it."""
    return np.bincount(np.searchsorted(cuts, values, side="left"), minlength=len(cuts) + 1).astype(float)


def index(now: Values, before: Values) -> Values:
    """The PSI of counts along the last axis."""
    n, m = now.sum(axis=-1, keepdims=True), before.sum(axis=-1, keepdims=True)
    usual = (now + before + _HALF) / (n + m + _HALF * now.shape[-1])
    q, p = (now + usual) / (n + 1), (before + usual) / (m + 1)
    return np.asarray(np.sum((q - p) * np.log(q / p), axis=-1))


def limit(n: float, m: float, *, bins: int, nominal: float) -> float:
    """What the PSI of n values, held against m earlier ones, passes once in `nominal` weeks by chance."""
    return _limit(_volume(n), _volume(m, _VOLUMES_BEFORE), bins, nominal)


@lru_cache(maxsize=2048)
def _limit(n: int, m: int, bins: int, nominal: float) -> float:
    return float(np.quantile(_null(n, m, bins), 1 - 1 / nominal))


@lru_cache(maxsize=2048)
def _mean(n: int, m: int, bins: int) -> float:
    return float(_null(n, m, bins).mean())


@lru_cache(maxsize=64)
def _null(n: int, m: int, bins: int) -> Values:
    random = np.random.default_rng(_SEED)
    equal = np.full(bins, 1 / bins)
    drawn = (
        index(
            random.multinomial(n, equal, _AT_ONCE).astype(float), random.multinomial(m, equal, _AT_ONCE).astype(float)
        )
        for _ in range(_DRAWS // _AT_ONCE)
    )
    return np.concatenate(list(drawn))


def _volume(of: float, volumes: tuple[int, ...] = _VOLUMES) -> int:
    return next((one for one in reversed(volumes) if one <= of), volumes[0])


def drifts(binned_: Values, *, nominal: float, memory: float) -> Values:
    """Each week's PSI as a multiple of its limit, of counts by stream, week and bin; not a number where too few are.

    Held against all earlier weeks, of which the older count less; 1 or more is a signal.
    """
    streams, weeks, bins = binned_.shape
    found, before = np.full((streams, weeks), np.nan), np.zeros((streams, bins))
    ratio, judged = np.zeros(streams), np.zeros(streams)
    for week in range(weeks):
        now = binned_[:, week]
        n, m = now.sum(axis=1), before.sum(axis=1)
        usable = (n >= FEWEST) & (m >= FEWEST_BEFORE)
        if usable.any():
            limits, usuals = _looked_up(n, m, bins, nominal)
            value = index(now, before)
            beyond = np.maximum(ratio / np.maximum(judged, 1) - 1, 0.0)
            spread = np.where(judged >= FEWEST, 1 + beyond * (bins - 1), 1.0)
            found[usable, week] = (value / (limits * spread))[usable]
            keep = 1 - usable / memory
            ratio = keep * ratio + np.where(usable, np.minimum(value / usuals, _TEACHES), 0.0)
            judged = keep * judged + usable
        before = before * (1 - 1 / memory) + now
    return found


def _looked_up(n: Values, m: Values, bins: int, nominal: float) -> tuple[Values, Values]:
    pairs = [(_volume(a), _volume(b, _VOLUMES_BEFORE)) for a, b in zip(n, m, strict=True)]
    of = {pair: (_limit(*pair, bins, nominal), _mean(*pair, bins)) for pair in set(pairs)}
    return np.array([of[pair][0] for pair in pairs]), np.array([of[pair][1] for pair in pairs])
