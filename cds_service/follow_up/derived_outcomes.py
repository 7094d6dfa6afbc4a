"""What FHIR data say of the operations on record: lines for a file of outcomes, and counts of what is unknown and why.

Nothing is loaded by it. Another source's word is never touched: a register and a chart review know more than codes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date

import msgspec
from msgspec import Raw

from cds_service.follow_up.planned_operations import Asked, PlannedOperation
from fhir_mappings.outcomes import deriving
from fhir_mappings.outcomes.derived import OPEN_ENTRY, DerivedOutcome
from fhir_mappings.outcomes.followed_person import FollowedPerson
from fhir_mappings.outcomes.operated import Operated, operated
from fhir_mappings.outcomes.outcome_definitions import DIGEST

SOURCE = "derived from FHIR"
FULL_SOURCE = f"{SOURCE}, definitions {DIGEST}"
WITHDRAWN = "withdrawn"

People = Iterable[tuple[str, list[Raw]]]
Reader = Callable[[str, list[Raw]], FollowedPerson]


class RecordedOutcome(msgspec.Struct, frozen=True):
    """What the record says of one outcome of one evaluation, and by which source."""

    occurred: bool
    source: str

    @property
    def is_derived(self) -> bool:
        """Whether this command's own file brought it."""
        return self.source.startswith(SOURCE)


OnRecord = Mapping[tuple[str, str], RecordedOutcome]


class OutcomeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the file; `occurred`: true, false or withdrawn."""

    evaluation_id: str
    outcome: str
    occurred: str
    occurred_on: date | None
    observed_through: date | None
    operated_on: date


class DerivedTally(msgspec.Struct, kw_only=True):
    """What became of the operations, and of each outcome by its reason; `others`: told by another source already."""

    operations: Counter[str] = msgspec.field(default_factory=Counter)
    outcomes: dict[str, Counter[str]] = msgspec.field(default_factory=lambda: defaultdict(Counter))
    others: dict[str, Counter[str]] = msgspec.field(default_factory=lambda: defaultdict(Counter))
    withdrawn: Counter[str] = msgspec.field(default_factory=Counter)
    stays: list[int] = msgspec.field(default_factory=list)


def lines(
    plans: Sequence[PlannedOperation],
    people: People,
    read_person: Reader,
    *,
    recorded: OnRecord,
    complete: frozenset[str],
    tally: DerivedTally,
) -> Iterator[OutcomeLine]:
    """The lines of every operation that was found in the data; the others are counted with why not."""
    by_patient: dict[str, list[PlannedOperation]] = defaultdict(list)
    for plan in plans:
        by_patient[plan.calls[0].patient_id or ""].append(plan)
    tally.operations["no-patient-on-record"] += len(by_patient.pop("", ()))
    for patient_id, resources in people:
        of_patient = by_patient.pop(patient_id, None)
        if of_patient is not None:
            person = read_person(patient_id, resources)
            yield from _of_person(person, of_patient, recorded, complete, tally)
    tally.operations["patient-not-in-data"] += sum(map(len, by_patient.values()))


def _of_person(
    person: FollowedPerson,
    plans: Sequence[PlannedOperation],
    recorded: OnRecord,
    complete: frozenset[str],
    tally: DerivedTally,
) -> Iterator[OutcomeLine]:
    """The newest order first: an operation is that of the last order before it."""
    taken: set[str] = set()
    for plan in sorted(plans, key=lambda one: one.calls[0].at, reverse=True):
        if person.other:
            tally.operations["another-person"] += 1
            continue
        group, ordered_on = plan.last_before.procedure_group, plan.calls[0].at.date()
        done = operated(person, group, ordered_on=ordered_on, taken=taken)
        if not isinstance(done, Operated):
            tally.operations[done] += 1
            continue
        tally.operations["found"] += 1
        taken.add(done.source)
        for name, found in deriving.derive(person, done, complete=complete).items():
            _count(found, tally)
            yield from _of_outcome(name, found, PlannedOperation(plan.calls, done.day), recorded, tally)


def _count(found: DerivedOutcome, tally: DerivedTally) -> None:
    told = {True: "true", False: "false", None: found.why}[found.occurred]
    tally.outcomes[found.outcome][told] += 1
    if found.days is not None:
        tally.stays.append(found.days)


def _of_outcome(
    name: str, found: DerivedOutcome, plan: PlannedOperation, recorded: OnRecord, tally: DerivedTally
) -> Iterator[OutcomeLine]:
    """A line where something is known, or where what this command once said has lost its ground."""
    said = {call: recorded[call.evaluation_id, name] for call in plan.calls if (call.evaluation_id, name) in recorded}
    others = [one for one in said.values() if not one.is_derived]
    if others:
        alike = found.occurred is None or all(one.occurred == found.occurred for one in others)
        tally.others[name]["unknown here" if found.occurred is None else "alike" if alike else "different"] += 1
        return
    if found.occurred is not None:
        for call in list(said) or [plan.last_before]:
            yield _line(call, name, found, plan)
        return
    for call, one in said.items():
        if one.occurred or found.why in OPEN_ENTRY:
            tally.withdrawn[name] += 1
            yield _line(call, name, found, plan)


def _line(call: Asked, name: str, found: DerivedOutcome, plan: PlannedOperation) -> OutcomeLine:
    known = found.occurred is not None
    return OutcomeLine(
        evaluation_id=call.evaluation_id,
        outcome=name,
        occurred={True: "true", False: "false", None: WITHDRAWN}[found.occurred],
        occurred_on=found.occurred_on,
        observed_through=found.observed_through if known else None,
        operated_on=plan.day,
    )
