"""One Observation, read for the course: its values by the hospital's clock, or why a part of it cannot be used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from fhir_mappings.during.case_times import instant
from fhir_mappings.during.course import Amount, CaseEvent, CourseEntry, EventKind, Sample, Signal, UnreadPart, Way
from fhir_mappings.during.signal_rules import (
    AMOUNT_OF,
    AMOUNT_RULES,
    EVENT_OF,
    RULES,
    SECOND_CODES,
    SETS,
    SIGNAL_OF,
    UNIT_TEXTS,
)
from fhir_mappings.fhir.decode_resources import SUBJECT_UNKNOWN, why_not_subject
from fhir_mappings.fhir.elements import CodeableConcept
from fhir_mappings.fhir.resources import UNREADABLE_JSON, Observation, Valued
from fhir_mappings.results import unit_aliases, unread_results
from fhir_mappings.results.quantities import read_value
from fhir_mappings.results.result_time import written_time
from fhir_mappings.terminology.code_systems import LOINC
from fhir_mappings.terminology.concept_maps import EMPTY, ConceptMaps, Vocabulary, vocabulary

NO_TIME, ISSUE_ONLY, IMPRECISE = "no-time", "time-of-issue-only", "no-time-of-day"
UNCLEAR, UNREADABLE = "unclear", "unreadable"


class CourseReader(Struct, frozen=True):
    """Whose Observations are read, and how: the zone of texts without one, the site's codes and units, its clocks.

    `ahead_s`: by device how far its clock is ahead of the hospital's, in seconds; it is taken out of every time.
    """

    patient_id: str
    zone: ZoneInfo
    words: Vocabulary
    units: dict[str, str] = msgspec.field(default_factory=lambda: dict(UNIT_TEXTS))
    ahead_s: dict[str, float] = {}


def reader(
    patient_id: str,
    zone: ZoneInfo,
    *,
    maps: ConceptMaps = EMPTY,
    units: Mapping[str, str] | None = None,
    ahead_s: Mapping[str, float] | None = None,
) -> CourseReader:
    """A reader of one patient's Observations; `units`: UCUM by folded text, added to the usual ones."""
    words = vocabulary(SETS, maps)
    return CourseReader(patient_id, zone, words, {**(units or {}), **UNIT_TEXTS}, dict(ahead_s or {}))


class _ObservationMeta(Struct, frozen=True, rename="camel"):
    version_id: str = ""
    last_updated: str = ""
    source: str = ""


class _DeviceIdentifier(Struct, frozen=True):
    value: str = ""


class _Device(Struct, frozen=True):
    reference: str = ""
    identifier: _DeviceIdentifier = _DeviceIdentifier()


class _ObservationHead(Struct):
    id: str = ""
    meta: _ObservationMeta = _ObservationMeta()
    device: _Device = _Device()

    @property
    def taken_by(self) -> str:
        """The device as the Observation names it, else the system that it came from."""
        return self.device.reference or self.device.identifier.value or self.meta.source


_OBSERVATION = msgspec.json.Decoder(Observation)
_HEAD = msgspec.json.Decoder(_ObservationHead)


def read_entry(raw: bytes, by: CourseReader) -> CourseEntry | None:
    """What one Observation says of the course; None for another resource type or what speaks of nothing here.

    One of another patient, or that names nobody, is never part of the course: it is told as unread, without its
    content. Of one that names nobody is told of what it speaks, for it may be of this patient.
    """
    try:
        observation, head = _OBSERVATION.decode(raw), _HEAD.decode(raw)
    except UNREADABLE_JSON:
        return _sketched(raw, by)
    about = _ideas(observation, by)
    if not about:
        return None
    entry = CourseEntry(head.id, _seconds(head.meta.last_updated, by), head.meta.version_id, observation.status or "")
    if reason := why_not_subject(observation.subject, by.patient_id):
        ideas = dict.fromkeys(map(_about, about)) if reason == SUBJECT_UNKNOWN else ("",)
        return msgspec.structs.replace(entry, unread=tuple(UnreadPart("", one, reason) for one in ideas))
    if entry.withdrawn:
        return entry
    reason = unread_results.why_not_used(observation.status)
    if reason and reason != UNREADABLE:  # awaited, or of a status that is not known
        return msgspec.structs.replace(entry, unread=_unread(head.id, about, reason))
    return _filled(entry, observation, head, by)


def _sketched(raw: bytes, by: CourseReader) -> CourseEntry | None:
    """What can still be told of an Observation that cannot be read: of which signal it would have been."""
    found = unread_results.sketch(raw)
    if found is None:
        return None
    observation, concepts = found
    about = tuple(dict.fromkeys(idea for one in concepts for idea in _meant(one, by.words)))
    name = observation.id or ""
    entry = CourseEntry(name, None, "", observation.status or "")
    if not about or entry.withdrawn:
        return entry if entry.withdrawn else None
    return msgspec.structs.replace(entry, unread=_unread(name, about, UNREADABLE))


def _filled(entry: CourseEntry, observation: Observation, head: _ObservationHead, by: CourseReader) -> CourseEntry:
    when, reason = _when(observation, by)
    about = _ideas(observation, by)
    if when is None:
        return msgspec.structs.replace(entry, unread=_unread(head.id, about, reason))
    ahead = by.ahead_s.get(head.taken_by, 0.0)
    found = _ReadParts(_source(head.id), head.taken_by, when - ahead, _start(observation, by, ahead))
    for valued, idea, by_value in _parts(observation, by):
        found.take(idea, valued, by, by_value=by_value)
    return msgspec.structs.replace(
        entry,
        samples=tuple(found.samples),
        amounts=tuple(found.amounts),
        events=tuple(found.events),
        unread=tuple(found.unread),
    )


class _ReadParts:
    """What the parts of one Observation hold, gathered part by part."""

    def __init__(self, source: str, device: str, at: float, start: float | None) -> None:
        self.source, self.device, self.at, self.start = source, device, at, start
        self.samples: list[tuple[Signal, Way, Sample]] = []
        self.amounts: list[Amount] = []
        self.events: list[CaseEvent] = []
        self.unread: list[UnreadPart] = []

    def take(self, idea: str, valued: Valued, by: CourseReader, *, by_value: bool) -> None:
        """File what one part says of one idea, which its code or, of an event, its value names."""
        if idea in EVENT_OF:
            self._event(EVENT_OF[idea], valued, by_value=by_value)
            return
        rule = RULES[SIGNAL_OF[idea][0]].number if idea in SIGNAL_OF else AMOUNT_RULES[AMOUNT_OF[idea]]
        reading = read_value(rule, unit_aliases.rewritten(valued, by.units))
        if not reading.usable or not isinstance(reading.value, float | int) or reading.possible:
            self.unread.append(UnreadPart(self.source, _about(idea), reading.reason or "censored"))
        elif idea in SIGNAL_OF:
            sample = Sample(self.at, round(reading.value, 6), self.source, self.device, _is_second(valued.code))
            self.samples.append((*SIGNAL_OF[idea], sample))
        else:
            amount = Amount(AMOUNT_OF[idea], self.at, round(reading.value, 6), self.source, self.start)
            self.amounts.append(amount)

    def _event(self, kind: EventKind, valued: Valued, *, by_value: bool) -> None:
        """A code of an event says that it was, unless a value beside it says no; any other value leaves it unclear."""
        written = bytes(valued.value_boolean)
        if by_value or written == b"true" or _has_no_value(valued):
            self.events.append(CaseEvent(kind, self.at, self.source))
        elif written != b"false":
            self.unread.append(UnreadPart(self.source, kind, UNCLEAR))


def _is_second(concept: CodeableConcept) -> bool:
    codes = {one.code for one in concept.coding if one.system == LOINC}
    return any(code in SECOND_CODES and not codes & SECOND_CODES[code] for code in codes if code)


def _has_no_value(valued: Valued) -> bool:
    others = (valued.value_codeable_concept, valued.value_string, valued.value_integer, valued.value_range)
    raw = (valued.written_quantity, valued.value_boolean, valued.value_ratio, valued.value_sampled_data)
    return all(one is None for one in (*others, valued.data_absent_reason)) and not any(map(bytes, raw))


def _about(idea: str) -> str:
    """What an idea is told as: the signal, however it was measured, else itself."""
    return SIGNAL_OF[idea][0] if idea in SIGNAL_OF else idea


def _unread(name: str, about: Iterable[str], reason: str) -> tuple[UnreadPart, ...]:
    return tuple(UnreadPart(_source(name), one, reason) for one in dict.fromkeys(map(_about, about)))


def _source(name: str) -> str:
    return f"Observation/{name}"


def _parts(observation: Observation, by: CourseReader) -> Iterator[tuple[Valued, str, bool]]:
    """Every part that speaks of something here, with what, and whether its value names it."""
    every: tuple[Valued, ...] = (observation, *observation.component)
    for valued in every:
        for idea in _meant(valued.code, by.words):
            if valued is not observation or not observation.component or not _has_no_value(observation):
                yield valued, idea, False
        for idea in _meant(valued.value_codeable_concept, by.words) if valued.value_codeable_concept else ():
            if idea in EVENT_OF:
                yield valued, idea, True


def _ideas(observation: Observation, by: CourseReader) -> tuple[str, ...]:
    return tuple(dict.fromkeys(idea for _, idea, _ in _parts(observation, by)))


def _meant(concept: CodeableConcept, words: Vocabulary) -> tuple[str, ...]:
    """The ideas that a concept means, each once; a concept in words alone means what the site's map says."""
    pairs = [(one.system, one.code) for one in concept.coding] or list(words.texts(concept.text or ""))
    return tuple(dict.fromkeys(idea for pair in pairs for idea in words.ideas(*pair)))


def _when(observation: Observation, by: CourseReader) -> tuple[float | None, str]:
    """When it was taken by the clock of its device; a time that is only that of its issue is none (late results)."""
    text, issued_only = written_time(observation)
    if issued_only:
        return None, ISSUE_ONLY
    when = instant(text, by.zone)
    return (when.timestamp(), "") if when is not None else (None, IMPRECISE if text else NO_TIME)


def _start(observation: Observation, by: CourseReader, ahead: float) -> float | None:
    period = observation.effective_period
    when = instant(period.start or "", by.zone) if period and period.start and period.end else None
    return when.timestamp() - ahead if when is not None else None


def _seconds(text: str, by: CourseReader) -> float | None:
    when = instant(text, by.zone)
    return when.timestamp() if when is not None else None
