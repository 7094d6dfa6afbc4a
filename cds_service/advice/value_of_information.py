"""Which missing inputs are worth a test: those of which a plausible value would change the headline's band (DEC-33)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from cds_service.advice.assessment import BAND_NAMES, Assessment, Estimate
from cds_service.advice.facts import Facts, is_not_done
from cds_service.advice.options import Option
from fhir_mappings.features import FEATURES
from fhir_mappings.order_codes import OrderCodes
from fhir_mappings.orderables import ORDERABLES, is_requested
from models_onnx.score import InputValue

FILE = Path(__file__).with_name("inputs.yaml")

# The headline that the models would give for these values, everything else as it is.
Rescore = Callable[[Mapping[str, InputValue | None]], Estimate | None]


class Obtainable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one missing input can be had, and values that are plausible before surgery, in the feature's unit."""

    input: str
    consider: str
    plausible: tuple[float | str, ...]
    orders: str | None = None


def load(path: Path = FILE) -> tuple[Obtainable, ...]:
    """The table; raises ValueError naming an input or an order that does not exist."""
    table = msgspec.yaml.decode(path.read_bytes(), type=tuple[Obtainable, ...])
    for one in table:
        if one.input not in FEATURES or (one.orders is not None and one.orders not in ORDERABLES):
            raise ValueError(f"{path.name}: {one.input}: no such feature or order")
    return table


OBTAINABLE = load()


def worth_asking(assessment: Assessment, facts: Facts, *, rescore: Rescore, codes: OrderCodes) -> tuple[Option, ...]:
    """The missing inputs that could change the band, the greatest change first; nothing that is being ordered."""
    found = [
        option
        for one in OBTAINABLE
        if one.input in assessment.inputs
        and is_not_done(facts.features[one.input])
        and (one.orders is None or not is_requested(one.orders, facts.requested, codes))
        and (option := _option(one, assessment, rescore)) is not None
    ]
    return tuple(sorted(found, key=lambda option: -option.weight))


def _option(one: Obtainable, assessment: Assessment, rescore: Rescore) -> Option | None:
    """The option, weighed by bands crossed and then by how far the probability could move."""
    now = assessment.headline
    changes = [change for other in _headlines(one, assessment, rescore) if (change := _change(now, other)) > 0]
    if not changes:
        return None
    return Option(
        id=f"input-{one.input}",
        consider=one.consider,
        reason=f"{FEATURES[one.input].label} is missing and could change the estimate",
        order=one.orders,
        could_change_estimate=True,
        weight=max(changes),
    )


def _headlines(one: Obtainable, assessment: Assessment, rescore: Rescore) -> Iterator[Estimate]:
    values = {name: f.model_value if f.usable else None for name, f in assessment.features.items()}
    for value in one.plausible:
        if (other := rescore(values | {one.input: value})) is not None:
            yield other


def _change(now: Estimate | None, other: Estimate) -> float:
    """Bands crossed, plus the change of probability as a fraction; 0 where the band stays as it is."""
    if now is None:
        return 1.0
    if now.band is None or other.band is None or now.band == other.band:
        return 0.0
    crossed = abs(BAND_NAMES.index(now.band) - BAND_NAMES.index(other.band))
    return crossed + abs((other.score.probability or 0.0) - (now.score.probability or 0.0))
