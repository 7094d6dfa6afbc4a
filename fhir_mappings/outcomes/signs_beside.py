"""Signs of an outcome beside the Conditions: complications of procedures, reasons of visits, what did not come.

What did not come is a Condition that something names. A sign leaves open; none says when the outcome began.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct

from fhir_mappings.fhir.dates import Moment
from fhir_mappings.fhir.elements import CodeableConcept, Reference
from fhir_mappings.outcomes.outcome_members import OutcomeMembers, referenced

Kind = Literal["complication", "reason", "did-not-come"]
# https://terminology.hl7.org/CodeSystem-diagnosis-role.html
_THERE_BEFORE = frozenset({"AD", "pre-op"})


class SignBeside(Struct, frozen=True, kw_only=True):
    """One sign: between which instants it may lie (None: not known), and its code where it has one."""

    source: str
    kind: Kind
    start: Moment | None
    end: Moment | None
    concept: CodeableConcept | None = None

    def was_before(self, day: date) -> bool:
        """Whether it was over, or as the reason of a stay known, before something could follow the operation."""
        if self.kind == "reason":
            return self.start is not None and self.start.last <= day
        return self.end is not None and self.end.last < day

    def comes_after(self, last: date) -> bool:
        """Whether it came after the horizon."""
        return self.start is not None and self.start.first > last


def of_procedure(source: str, beside: OutcomeMembers, start: Moment | None, end: Moment | None) -> list[SignBeside]:
    """The complications that a Procedure tells, and the Conditions that tell more of them."""
    told = [_sign(source, "complication", start, end, one) for one in beside.complication]
    return told + [
        _sign(_named(one), "did-not-come", start, end) for one in beside.complication_detail if _may_be_condition(one)
    ]


def of_stay(
    source: str,
    beside: OutcomeMembers,
    start: Moment | None,
    end: Moment | None,
    *,
    roles: Mapping[str, Collection[str]],
) -> list[SignBeside]:
    """The reasons of a stay or visit, and the Conditions that it names; not those that it calls there before."""
    told = [_sign(source, "reason", start, end, one) for one in beside.reason_code]
    named = [one.condition for one in beside.diagnosis if one.condition is not None]
    named = [one for one in named if not _THERE_BEFORE.intersection(roles.get(referenced(one) or "", ()))]
    return told + [
        _sign(_named(one), "did-not-come", start, end)
        for one in (*named, *beside.reason_reference)
        if _may_be_condition(one)
    ]


def without_what_came(signs: Sequence[SignBeside], came: Collection[str]) -> Iterator[SignBeside]:
    """The signs; of the Conditions that are named only those that did not come. `came`: ids of those that did."""
    for one in signs:
        if one.kind != "did-not-come" or one.source.removeprefix("Condition/") not in came:
            yield one


def _sign(
    source: str, kind: Kind, start: Moment | None, end: Moment | None, concept: CodeableConcept | None = None
) -> SignBeside:
    return SignBeside(source=source, kind=kind, start=start, end=end, concept=concept)


def _named(one: Reference) -> str:
    return f"Condition/{referenced(one) or ''}"


def _may_be_condition(to: Reference) -> bool:
    """Whether a reference names a Condition, or does not say of what type it is."""
    kind, slash, _ = (to.reference or "").split("/_history/")[0].rpartition("/")
    return not slash or kind.rsplit("/", 1)[-1] == "Condition"
