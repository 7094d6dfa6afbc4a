"""One person as the outcomes need them: stays, diagnoses, procedures and death as of a day, and what was not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir import decode_resources
from fhir_mappings.fhir.clock import Clock, clock, is_ahead
from fhir_mappings.fhir.dates import Moment, moment
from fhir_mappings.fhir.decode_resources import UNREADABLE_JSON
from fhir_mappings.fhir.elements import Period
from fhir_mappings.fhir.resources import Condition, Encounter, Patient, Procedure
from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.outcomes import signs_beside
from fhir_mappings.outcomes.newest_versions import one_version_each
from fhir_mappings.outcomes.outcome_members import BESIDE, OutcomeMembers, referenced
from fhir_mappings.outcomes.signs_beside import SignBeside
from fhir_mappings.outcomes.stays import Dying, Stay, death_by_stay, stay, took_place
from fhir_mappings.terminology.concept_maps import Vocabulary

_READ = frozenset({"Patient", "Condition", "Procedure", "Encounter"})
_OWNED_DATES = ("recordedDate", "onsetDateTime", "performedDateTime", "deceasedDateTime")
_OWNED_PERIODS = ("onsetPeriod", "performedPeriod", "period")
# https://hl7.org/fhir/R4/valueset-event-status.html
NOT_DONE = frozenset({"preparation", "not-done", "entered-in-error"})


class DatedDiagnosis(Struct, frozen=True):
    """A Condition with its days: began, was recorded, was over; and the id of its Encounter."""

    condition: Condition
    source: str
    onset: Moment | None
    recorded: Moment | None
    abatement: Moment | None
    encounter: str | None


class DatedProcedure(Struct, frozen=True):
    """A Procedure with its beginning and the id of its Encounter."""

    procedure: Procedure
    source: str
    when: Moment | None
    encounter: str | None


class FollowedPerson(Struct, frozen=True, kw_only=True):
    """What the data say of one person as of a day. `unread`: entries of each type that were not read at all.

    `signs`: what stands beside the Conditions. `other`: an entry names another person; then nothing is derived.
    """

    now: Clock
    words: Vocabulary
    stays: tuple[Stay, ...] = ()
    diagnoses: tuple[DatedDiagnosis, ...] = ()
    procedures: tuple[DatedProcedure, ...] = ()
    deaths: tuple[Dying, ...] = ()
    signs: tuple[SignBeside, ...] = ()
    unread: Mapping[str, int] = {}
    other: bool = False


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The last instant of a day: as of then the data are read."""
    return datetime.combine(day, time.max, tzinfo=zone)


def person(
    resources: Iterable[Raw], *, patient_id: str, as_of: date, zone: ZoneInfo, words: Vocabulary
) -> FollowedPerson:
    """The person as of the end of a day in the hospital's zone: what is dated later is not there."""
    now = clock(end_of(as_of, zone), zone, timedelta(0))
    made = _Making(now)
    versions = one_version_each(resources, zone)
    made.unread.update(one for one in versions.unclear if one in _READ)
    for raw in versions.resources:
        head = made.kind(raw)
        if head not in _READ:
            continue
        try:
            part = decode_resources.decode_resources("outcomes", SearchResult(resources=(raw,)), patient_id)
        except decode_resources.WrongPatientError:
            return FollowedPerson(now=now, words=words, other=True)
        made.add(head, raw, part.resources[0] if part.resources else None)
    return FollowedPerson(
        now=now,
        words=words,
        stays=tuple(sorted(made.stays, key=lambda one: (one.start.time if one.start else now.as_of, one.source))),
        diagnoses=tuple(made.diagnoses),
        procedures=tuple(made.procedures),
        deaths=tuple(made.deaths),
        signs=tuple(signs_beside.without_what_came(made.signs, made.came)),
        unread=dict(made.unread),
    )


class _Making:
    """A person while their resources are read."""

    def __init__(self, now: Clock) -> None:
        self.now = now
        self.stays: list[Stay] = []
        self.diagnoses: list[DatedDiagnosis] = []
        self.procedures: list[DatedProcedure] = []
        self.deaths: list[Dying] = []
        self.signs: list[SignBeside] = []
        self.came: set[str] = set()  # ids of Conditions and Procedures
        self.unread: Counter[str] = Counter()

    @staticmethod
    def kind(raw: Raw) -> str:
        try:
            content = msgspec.json.decode(raw, type=dict)
        except UNREADABLE_JSON:
            return ""
        return str(content.get("resourceType"))

    def add(self, kind: str, raw: Raw, resource: object) -> None:
        """One resource; `resource`: None where the reader of answers set it aside."""
        try:
            beside = BESIDE.decode(raw)
        except UNREADABLE_JSON:
            resource = None
        if isinstance(resource, Condition):
            self._condition(resource, beside)
        elif isinstance(resource, Procedure):
            self._procedure(resource, beside)
        elif isinstance(resource, Encounter):
            self._stay(resource, beside)
        elif isinstance(resource, Patient):
            self._patient(resource)
        elif not self._is_later(raw):
            self.unread[kind] += 1

    def _condition(self, one: Condition, beside: OutcomeMembers) -> None:
        self.came.add(one.id or "")
        onset = self._of(one.onset_date_time, one.onset_period)
        recorded = self._of(one.recorded_date, None)
        if any(when is not None and is_ahead(when, self.now) for when in (recorded, onset)):
            return
        abated = self._of(one.abatement_date_time, one.abatement_period, at_end=True)
        source = f"Condition/{one.id or ''}"
        self.diagnoses.append(DatedDiagnosis(one, source, onset, recorded, abated, referenced(beside.encounter)))

    def _procedure(self, one: Procedure, beside: OutcomeMembers) -> None:
        self.came.add(one.id or "")
        when = self._of(one.performed_date_time, one.performed_period)
        if when is None or not is_ahead(when, self.now):
            source = f"Procedure/{one.id or ''}"
            self.procedures.append(DatedProcedure(one, source, when, referenced(beside.encounter)))
            if one.status not in NOT_DONE:
                over = self._of(one.performed_date_time, one.performed_period, at_end=True)
                self.signs += signs_beside.of_procedure(source, beside, when, over)

    def _stay(self, one: Encounter, beside: OutcomeMembers) -> None:
        period = beside.period or Period()
        start, end = (moment(text, self.now.zone) for text in (period.start, period.end))
        if start is not None and is_ahead(start, self.now):
            return
        disposition = beside.hospitalization.discharge_disposition if beside.hospitalization else None
        roles = {referenced(one.condition) or "": one.use for one in beside.diagnosis}
        if not took_place(one):
            return
        found = stay(one, start, end, now=self.now, disposition=disposition, roles=roles)
        self.stays.append(found)
        self.deaths += death_by_stay(found)
        self.signs += signs_beside.of_stay(found.source, beside, start, found.end, roles=found.roles)

    def _patient(self, one: Patient) -> None:
        when = moment(one.deceased_date_time, self.now.zone)
        if when is not None and not is_ahead(when, self.now):
            self.deaths.append(Dying("Patient.deceasedDateTime", when.first, when.last))
        elif when is None and (one.deceased_date_time or one.deceased_boolean):
            self.deaths.append(Dying("Patient.deceasedBoolean"))

    def _of(self, text: str | None, period: Period | None, *, at_end: bool = False) -> Moment | None:
        if text is None and period is not None:
            text = period.end if at_end else period.start or period.end
        return moment(text, self.now.zone)

    def _is_later(self, raw: Raw) -> bool:
        """Whether an entry that was not read says that it is of a later day."""
        try:
            content = msgspec.json.decode(raw, type=dict[str, object])
        except UNREADABLE_JSON:
            return False
        texts = [content.get(name) for name in _OWNED_DATES]
        for name in _OWNED_PERIODS:
            period = content.get(name)
            texts.append(period.get("start") if isinstance(period, dict) else None)
        moments = (moment(text, self.now.zone) for text in texts if isinstance(text, str))
        return any(when is not None and is_ahead(when, self.now) for when in moments)
