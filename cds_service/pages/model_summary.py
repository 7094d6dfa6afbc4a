"""The first screen of a model's page: how good it is, in one or two sentences that anybody who reads figures can hold.

A published equation has no evaluation of its own; where a fitted model was compared with it on the same operations,
that comparison is what is known of it here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cds_service.pages import evaluations
from models_onnx.model_card import ModelCard
from models_onnx.registry import Registry

_COMPARED = " as published"
_NOT_EVALUATED = (
    "Not evaluated by this project: there are no data here with its outcome and what it reads. What its authors and"
    " others report stands in the publications."
)
_ALL = "all operations"


class HowGood(msgspec.Struct, frozen=True):
    """`measured`: on which operations; `ranks`, `level`: discrimination and calibration, "" where none was measured."""

    measured: str
    ranks: str = ""
    level: str = ""
    others: tuple[str, ...] = ()


def how_good(card: ModelCard, served: Registry) -> HowGood:
    """What was measured of this version, or that nothing was; points are counts, of which no level is measured."""
    found = evaluations.of(card, served.directory)
    rows = found.performance if found is not None else _comparisons(card, served)
    if not rows:
        return HowGood(_NOT_EVALUATED)
    first = rows[0]
    return HowGood(
        _measured(first, is_fitted=found is not None),
        _ranks(first),
        _level(first),
        tuple(_other(row) for row in rows[1:]),
    )


def _comparisons(card: ModelCard, served: Registry) -> Sequence[Mapping[str, Any]]:
    """The rows of fitted models of the same outcome in which this equation was measured beside them."""
    beside = (evaluations.of(one, served.directory) for one in served.cards if one.outcome == card.outcome)
    return [
        row
        for found in beside
        if found is not None
        for row in found.comparisons
        if row["model"].endswith(_COMPARED) and row["model"].removesuffix(_COMPARED) in card.title
    ]


def _measured(row: Mapping[str, Any], *, is_fitted: bool) -> str:
    unseen = "each by a fit that had not seen it" if is_fitted else "as published, beside the model fitted on them"
    return f"Measured in {row['n']:,} {_operations(row)} with {row['events']:,} events, {unseen}."


def _operations(row: Mapping[str, Any]) -> str:
    """ "operations (ASA class known)", "spine operations (ASA class not known)"."""
    told: str = row["rows"]
    told = "operations" if told == _ALL else told
    return f"{told} (ASA class {_masked(row)})" if "asa_class" in row else told


def _masked(row: Mapping[str, Any]) -> str:
    return "not known" if row["asa_class"] == "masked" else str(row["asa_class"])


def _ranks(row: Mapping[str, Any]) -> str:
    auroc = row["auroc"]
    pairs, low, high = (round(100 * auroc[end]) for end in ("value", "low", "high"))
    return (
        f"Of 100 pairs, one person with the event and one without, it gives the one with it the higher risk in {pairs}"
        f" (95 % interval {low} to {high}; 50 is chance)."
    )


def _level(row: Mapping[str, Any]) -> str:
    of = 1000 if row["observed"] < 0.01 else 100
    expected, observed = (f"{of * row[name]:.1f}" for name in ("expected", "observed"))
    return f"Predicted: {expected} of {of:,}; observed: {observed}."


def _other(row: Mapping[str, Any]) -> str:
    operations = _operations(row)
    return f"{operations[:1].upper()}{operations[1:]}: {round(100 * row['auroc']['value'])} of 100 pairs"
