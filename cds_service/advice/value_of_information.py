"""Which missing inputs are worth a test: those of which a plausible value would change the headline's band (DEC-33)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from cds_service.advice.assessment import Assessment, Estimate
from cds_service.advice.bands import BAND_NAMES, band
from cds_service.advice.facts import Facts, is_not_done
from cds_service.advice.options import Option
from fhir_mappings.features.features import FEATURES
from fhir_mappings.orders.order_catalogue import ORDERABLES, is_requested
from fhir_mappings.orders.order_codes import OrderCodes
from models_onnx import data_files
from models_onnx.missing_ranges import Unknown

FILE = Path(__file__).with_name("inputs.yaml")


class Obtainable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one missing input can be had: by a test that can be ordered, or by somebody recording it."""

    input: str
    consider: str
    orders: str | None = None


def load(path: Path = FILE) -> dict[str, Obtainable]:
    """The table by input; raises ValueError naming an input or an order that does not exist."""
    table = data_files.read_yaml(path, tuple[Obtainable, ...])
    for one in table:
        if one.input not in FEATURES or (one.orders is not None and one.orders not in ORDERABLES):
            raise ValueError(f"{path.name}: {one.input}: no such feature or order")
    return {one.input: one for one in table}


OBTAINABLE = load()


def worth_asking(assessment: Assessment, facts: Facts, *, codes: OrderCodes) -> tuple[Option, ...]:
    """The missing inputs that could change the band, the greatest effect first; nothing that is being ordered."""
    found: dict[str, Option] = {}
    for told, unknown in _deciding(assessment):
        name = unknown.input
        if name not in OBTAINABLE or not is_not_done(facts.features[name]) or _is_ordered(name, facts, codes):
            continue
        option = _option(OBTAINABLE[name], unknown, facts)
        if _would_change(assessment, told, unknown) and (name not in found or found[name].weight < option.weight):
            found[name] = option
    return tuple(sorted(found.values(), key=lambda option: -option.weight))


def _deciding(assessment: Assessment) -> Iterator[tuple[Estimate, Unknown]]:
    """Every missing input of a model whose outcome may head the card."""
    for told in assessment.estimates:
        if told.outcome.may_head and told.unknown is not None:
            for unknown in told.unknown.unknown:
                yield told, unknown


def _would_change(assessment: Assessment, told: Estimate, unknown: Unknown) -> bool:
    """Whether some plausible value gives another headline band, or the first headline at all."""
    headline = assessment.headline
    if headline is None:
        return unknown.input in told.score.needs
    low = band(unknown.low, told.peer, assessment.limits)
    high = band(unknown.high, told.peer, assessment.limits)
    if headline.band is None or low is None or high is None:
        return False
    if told.outcome is headline.outcome:
        return low != headline.band or high != headline.band
    return BAND_NAMES.index(high) > BAND_NAMES.index(headline.band)


def _is_ordered(name: str, facts: Facts, codes: OrderCodes) -> bool:
    order = OBTAINABLE[name].orders
    return order is not None and is_requested(order, facts.requested, codes)


def _option(one: Obtainable, unknown: Unknown, facts: Facts) -> Option:
    return Option(
        id=f"input-{one.input}",
        consider=one.consider,
        reason=f"{FEATURES[one.input].label} is missing and could change the estimate",
        order=one.orders,
        unchecked=facts.orders_unchecked and one.orders is not None,
        could_change_estimate=True,
        weight=unknown.spread,
    )
