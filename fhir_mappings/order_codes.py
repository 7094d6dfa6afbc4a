"""Standard order codes as the codes by which one site orders: a FHIR ConceptMap, per tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from fhir_mappings.code_systems import canonical
from fhir_mappings.draft_orders import OrderCode

# LOINC and SNOMED CT codes as they are: the sandbox and the demo EHR take them, production EHRs do not.
DEMONSTRATION = Path(__file__).with_name("order_codes") / "demonstration.json"

# https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html: what is ordered must be exactly what was meant.
_SAME = frozenset({"equivalent", "equal"})


class OrderCodeError(Exception):
    """A map of order codes cannot be used; the message names the file and the code. The service does not start."""


class OrderCodes:
    """By which code a site orders what a standard code means. Empty by default, immutable."""

    def __init__(self, targets: Mapping[tuple[str, str], OrderCode] | None = None) -> None:
        self._targets = dict(targets or {})

    def find(self, system: str, code: str) -> OrderCode | None:
        """The site's code; None where the site has mapped none: then there is text and no button."""
        return self._targets.get((canonical(system), code))


def load(paths: Iterable[Path]) -> OrderCodes:
    """The maps of these files together; raises OrderCodeError naming the file that cannot be used."""
    targets: dict[tuple[str, str], OrderCode] = {}
    for path in paths:
        try:
            for source, target in _elements(msgspec.json.decode(path.read_bytes())):
                if targets.setdefault(source, target) != target:
                    raise ValueError(f"{source[1]} is mapped twice")
        except (OSError, msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise OrderCodeError(f"{path}: {type(error).__name__}: {error}") from error
    return OrderCodes(targets)


def _elements(document: Mapping[str, Any]) -> Iterable[tuple[tuple[str, str], OrderCode]]:
    if document["resourceType"] != "ConceptMap":
        raise ValueError("is not a ConceptMap")
    for group in document["group"]:
        for element in group["element"]:
            matches = [match for match in element["target"] if match["equivalence"] in _SAME]
            if len(matches) > 1:
                raise ValueError(f"{element['code']} has {len(matches)} targets; an order needs exactly one")
            for match in matches:
                yield (
                    (canonical(group["source"]), element["code"]),
                    OrderCode(system=group["target"], code=match["code"], display=match.get("display")),
                )
