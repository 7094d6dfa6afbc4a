"""A site's own texts for units: they add to what is understood and never change the meaning of a unit that is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from fhir_mappings.fhir.elements import UNREADABLE_QUANTITY
from fhir_mappings.fhir.resources import Valued
from fhir_mappings.results.quantities import number_in
from fhir_mappings.results.result_inputs import NUMBERS
from fhir_mappings.terminology.code_systems import UCUM
from fhir_mappings.terminology.unit_texts import folded, ucum, unit_of

_CONVERTED = frozenset(unit for rule in NUMBERS.values() for unit in rule.units)


def complaint(text: str, unit: str, also: Collection[str] = ()) -> str:
    """What is wrong with one alias; "" where nothing is. `also`: units that only the site's own values take."""
    if ucum(unit) not in _CONVERTED and ucum(unit) not in also:
        return f"{text!r}: {unit!r} is no UCUM unit that any input takes"
    if not folded(text):
        return f"{text!r} is no text of 1 to 64 characters"
    return f"{text!r} is known already, as {ucum(text)}" if ucum(text) else ""


def by_text(aliases: Mapping[str, str], also: Collection[str] = ()) -> dict[str, str]:
    """The UCUM unit by each text, folded as units are. Raises ValueError for an alias that may not be."""
    for text, unit in aliases.items():
        if wrong := complaint(text, unit, also):
            raise ValueError(wrong)
    return {folded(text): ucum(unit) for text, unit in aliases.items()}


def rewritten(valued: Valued, aliases: Mapping[str, str]) -> Valued:
    """The Observation or component with the UCUM unit in the place of a text that only the site knows."""
    quantity = valued.value_quantity
    if quantity is not None and quantity is not UNREADABLE_QUANTITY:
        if unit_of(quantity.code, quantity.system, quantity.unit)[0]:
            return valued
        unit = _meant(quantity.code, aliases) or _meant(quantity.unit, aliases)
        return replace(valued, written_quantity=_with_unit(valued.written_quantity, unit)) if unit else valued
    match = number_in(valued.value_string) if valued.value_string else None
    if match is None or not (unit := _meant(match[3], aliases)):
        return valued
    return replace(valued, value_string=f"{match[1] or ''}{match[2]} {unit}")


def _meant(text: str | None, aliases: Mapping[str, str]) -> str:
    return aliases.get(folded(text), "") if text else ""


def _with_unit(written: Raw, unit: str) -> Raw:
    """The same quantity, its number as it was printed, with this UCUM unit."""
    members = msgspec.json.decode(written, type=dict[str, Raw])
    members |= {name: Raw(msgspec.json.encode(value)) for name, value in (("code", unit), ("system", UCUM))}
    return Raw(msgspec.json.encode(members))
