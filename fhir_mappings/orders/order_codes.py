"""Standard order codes as the codes by which one site orders: a FHIR ConceptMap, per tenant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from fhir_mappings.orders.draft_orders import OrderCode
from fhir_mappings.terminology import concept_map_files as files
from fhir_mappings.terminology.code_systems import canonical
from fhir_mappings.terminology.concept_map_files import MapFileError, MapGroup

# LOINC and SNOMED CT codes as they are: the sandbox and the demo EHR take them, production EHRs do not.
DEMONSTRATION = Path(__file__).with_name("order_codes") / "demonstration.json"

# https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html: what is ordered must be exactly what was meant.
_SAME = frozenset({"equivalent", "equal"})

Pair = tuple[str, str]


class OrderCodeError(Exception):
    """A map of order codes cannot be used; the message names the file and the code. The service does not start."""


class OrderCodes:
    """By which code a site orders what a standard code means. Empty by default, immutable.

    `as_they_are`: by standard code system, the site's system that takes its codes unchanged.
    """

    def __init__(
        self,
        targets: Mapping[Pair, OrderCode | None] | None = None,
        *,
        as_they_are: Mapping[str, str] | None = None,
    ) -> None:
        self._targets = dict(targets or {})
        self._as_they_are = dict(as_they_are or {})

    def find(self, system: str, code: str) -> OrderCode | None:
        """The site's code; None where the site has mapped none: then there is text and no button."""
        pair = canonical(system), code
        if pair in self._targets:
            return self._targets[pair]
        own = self._as_they_are.get(pair[0])
        return OrderCode(system=own, code=code, display=None) if own else None

    def over(self, shipped: OrderCodes) -> OrderCodes:
        """These codes, and of the shipped ones those that these say nothing of: an order needs exactly one code."""
        kept = {pair: code for pair, code in shipped._targets.items() if pair[0] not in self._as_they_are}
        return OrderCodes({**kept, **self._targets}, as_they_are=self._as_they_are)


def load(paths: Iterable[Path], *, shipped: Iterable[Path] = ()) -> OrderCodes:
    """The maps of these files added to the shipped ones, which stay unless a file says that it replaces them.

    Raises OrderCodeError naming the file that cannot be used.
    """
    own, replaces = _read(paths)
    ours, _ = _read(() if replaces else shipped)
    return own.over(ours)


def _read(paths: Iterable[Path]) -> tuple[OrderCodes, bool]:
    """What these files say together, and whether one of them replaces what is shipped."""
    targets: dict[Pair, OrderCode | None] = {}
    as_they_are: dict[str, str] = {}
    replaces = False
    for path in paths:
        try:
            document = files.read_map(path)
            replaces |= document.replaces
            for group in document.group:
                for pair, target in _elements(group):
                    if target and targets.get(pair) not in (None, target):
                        raise MapFileError(f"{pair[1]} is mapped twice")
                    targets[pair] = target or targets.get(pair)
                if group.unmapped and as_they_are.setdefault(canonical(group.source), _kept_in(group)) != group.target:
                    raise MapFileError(f"codes of {group.source} are kept as they are in two systems")
        except MapFileError as error:
            raise OrderCodeError(error.of(path)) from error
    return OrderCodes(targets, as_they_are=as_they_are), replaces


def _kept_in(group: MapGroup) -> str:
    if group.unmapped and group.unmapped.mode == "fixed":
        raise MapFileError(f"group.unmapped of {group.source} is fixed: one order cannot be for every test")
    return group.target


def _elements(group: MapGroup) -> Iterator[tuple[Pair, OrderCode | None]]:
    """Each standard code with the one code by which it is ordered; None where the site says that it has no such one."""
    for element in group.element:
        same = tuple(dict.fromkeys(one for one in element.target if one.equivalence in _SAME))
        if len({one.code for one in same}) > 1:
            raise MapFileError(f"{element.code} has {len(same)} targets; an order needs exactly one")
        first = OrderCode(system=group.target, code=same[0].code, display=same[0].display) if same else None
        yield (canonical(group.source), element.code), first
