"""How the figure of an added model is told apart into its inputs, in log-odds, by the method that its card names.

additive: the graph is additive (tried when it was added), and each part is exact. shapley: the mean, over the orders in
which a person of the background becomes this one, of what each input changes; the parts add up to the difference from
the background's mean. Shapley 1953; Lundberg and Lee 2017, https://doi.org/10.48550/arXiv.1705.07874 (interventional).
occlusion: what changes when one input alone is put back to the background's; the parts do not add up. Zeiler and
Fergus 2014, https://doi.org/10.48550/arXiv.1311.2901.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from models_onnx.added_card import AddedCard
from models_onnx.added_graph import row

_LEAST = 1e-6  # a probability of 0 or 1 has no log-odds
_SEED = 20_261_129
Numbers = NDArray[np.float64]
Ask = Callable[[Numbers], Numbers]


class Parts(msgspec.Struct, frozen=True):
    """By input its part, in the order of the card; `reference`: the log-odds from which they add up, if they do.

    `sampled`: not every order of the inputs was asked.
    """

    log_odds: tuple[float, ...] = ()
    reference: float | None = None
    sampled: bool = False


def logits(probabilities: Numbers) -> Numbers:
    """Log-odds, those of 0 and 1 as of one in a million."""
    kept = np.clip(probabilities, _LEAST, 1 - _LEAST)
    found: Numbers = np.log(kept / (1 - kept))
    return found


def parts(card: AddedCard, person: Numbers, ask: Ask) -> Parts:
    """The parts of one person's figure. `ask`: the probability of each row."""
    told = card.contributions
    if told.method == "none":
        return Parts()
    background = np.array([row(card, one) for one in told.background])
    if told.method == "shapley":
        return _shapley(person, background, ask, told.evaluations)
    one_by_one = np.tile(background[0] if told.method == "additive" else person, (len(person), 1))
    np.fill_diagonal(one_by_one, person if told.method == "additive" else background[0])
    start = background[0] if told.method == "additive" else person
    figures = logits(ask(np.vstack([start, one_by_one])))
    if told.method == "additive":
        return Parts(tuple((figures[1:] - figures[0]).tolist()), float(figures[0]))
    return Parts(tuple((figures[0] - figures[1:]).tolist()))


def _shapley(person: Numbers, background: Numbers, ask: Ask, evaluations: int) -> Parts:
    """Only inputs in which somebody of the background differs can have a part."""
    moving = [place for place in range(len(person)) if (background[:, place] != person[place]).any()]
    if len(background) << len(moving) <= evaluations:
        log_odds, reference = _exact(person, background, ask, moving)
        return Parts(log_odds, reference)
    log_odds, reference = _sampled(person, background, ask, moving, evaluations)
    return Parts(log_odds, reference, sampled=True)


def _exact(person: Numbers, background: Numbers, ask: Ask, moving: list[int]) -> tuple[tuple[float, ...], float]:
    """Every set of inputs that could be this person's already."""
    sets = np.arange(1 << len(moving))
    own = np.zeros((len(sets), len(person)), dtype=np.bool_)
    for bit, place in enumerate(moving):
        own[:, place] = sets >> bit & 1
    rows = np.where(own[:, None, :], person, background[None, :, :])
    value = logits(ask(rows.reshape(-1, len(person)))).reshape(len(sets), -1).mean(axis=1)
    size, many, found = own.sum(axis=1), len(moving), np.zeros(len(person))
    weight = [1 / (many * math.comb(many - 1, before)) for before in range(many)]
    for bit, place in enumerate(moving):
        without = sets[sets >> bit & 1 == 0]
        gains = value[without | 1 << bit] - value[without]
        found[place] = float(np.dot([weight[before] for before in size[without]], gains))
    return tuple(found.tolist()), float(value[0])


def _sampled(
    person: Numbers, background: Numbers, ask: Ask, moving: list[int], evaluations: int
) -> tuple[tuple[float, ...], float]:
    """So many orders as fit, each also backwards; the same orders for everybody, so that an answer is repeatable."""
    steps = len(moving) + 1
    pairs = max(1, evaluations // (2 * steps * len(background)))
    draw, orders = np.random.default_rng(_SEED), []
    for _ in range(pairs):
        order = draw.permutation(moving)
        orders += [order, order[::-1]]
    rows = []
    for order in orders:
        for start in background:
            walk = np.tile(start, (steps, 1))
            for step, place in enumerate(order, 1):
                walk[step:, place] = person[place]
            rows.append(walk)
    value = logits(ask(np.vstack(rows))).reshape(len(orders), len(background), steps)
    gains, found = np.diff(value, axis=2).mean(axis=1), np.zeros(len(person))
    for order, each in zip(orders, gains, strict=True):
        found[order] += each / len(orders)
    return tuple(found.tolist()), float(value[0, :, 0].mean())


def fewest_evaluations(card: AddedCard) -> int:
    """How many rows a person asks at least; a card that allows less is refused."""
    told, many = card.contributions, len(card.inputs)
    exact = len(told.background) << many
    return min(exact, 2 * (many + 1) * len(told.background)) if told.method == "shapley" else many + 1
