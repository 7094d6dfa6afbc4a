"""What comes of operations, by whichever way, into the store of cases: read at once, each version kept once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cds_service.during import mode_gate
from cds_service.records.during_cases import (
    AnotherPatientError,
    Arrival,
    CaseBounds,
    CaseFullError,
    CaseKey,
    DuringCases,
    KeptParts,
    Part,
)
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.tenant import Tenant
from cds_service.trust.errors import InvalidContext, NotReady
from fhir_mappings.during.case_times import instant
from fhir_mappings.during.course import CourseEntry
from fhir_mappings.during.entries import CourseReader, read_entry, reader
from fhir_mappings.during.filing import Filed, Filing, VersionStamp, filed
from fhir_mappings.fhir.resources import UNREADABLE_JSON

_FULL_RETRY_S = 3600
# A version of one of these may take the place of one that was read, even where it speaks of nothing here any more.
_CHANGED = ("amended", "corrected", "entered-in-error", "cancelled")


class Arrived(msgspec.Struct, frozen=True, rename="camel"):
    """What became of what came, in numbers alone: `unfiled` belongs to no case, by reason.

    `refused`: the case is full. `not_of_a_course`: Observations of something else, which are not kept.
    """

    kept: int = 0
    repeated: int = 0
    refused: int = 0
    not_of_a_course: int = 0
    unfiled: dict[str, int] = {}


class _HeadOfVersion(msgspec.Struct):
    id: str = ""
    status: str = ""
    meta: VersionStamp = VersionStamp()


_HEAD = msgspec.json.Decoder(_HeadOfVersion)
_encode = msgspec.json.Encoder().encode


class Intake(msgspec.Struct, frozen=True):
    """The store with a reader for each tenant; readers by tenant id, each made once."""

    cases: DuringCases
    readers: Mapping[str, CourseReader]

    def take(
        self, resources: Iterable[bytes], site: TenantRuntime, arrival: Arrival, *, one_patient: bool = True
    ) -> Arrived:
        """Commit what came, all of it or nothing.

        Raises InvalidContext where patients are mixed, NotReady where there is no room. `one_patient`: refuse what
        speaks of more than one patient, before anything is kept.
        """
        filing = filed(resources, of_one=one_patient)
        if one_patient and len({one.patient_id for one in filing.cases}) > 1:
            raise InvalidContext("The Bundle speaks of more than one patient.")
        read = [(one, *self._parts(one, site.tenant)) for one in filing.cases]
        cases = {CaseKey(site.tenant.id, one.patient_id, one.encounter_id): parts for one, parts, _ in read if parts}
        return _sum(self._kept(cases, site.tenant, arrival), sum(ignored for _, _, ignored in read), filing)

    def _kept(self, cases: Mapping[CaseKey, Sequence[Part]], tenant: Tenant, arrival: Arrival) -> tuple[KeptParts, ...]:
        """All of what came together, or none of it."""
        limits = tenant.during
        bounds = CaseBounds(limits.most_cases, limits.most_entries, limits.most_bytes)
        try:
            return self.cases.keep_all(cases, bounds, arrival) if cases else ()
        except CaseFullError as error:
            raise NotReady("There is no room for another case.", retry_after_s=_FULL_RETRY_S) from error
        except AnotherPatientError as error:
            raise InvalidContext("The encounter is known as another patient's.") from error

    def _parts(self, one: Filed, tenant: Tenant) -> tuple[list[Part], int]:
        """What is kept of one case, and how many Observations say nothing of a course."""
        by = msgspec.structs.replace(self.readers[tenant.id], patient_id=one.patient_id)
        parts = [Part("times", body) for body in one.times] + [Part("birth", body) for body in one.births]
        entries = [_entry(raw, by) for raw in one.observations]
        parts += [
            Part("observation", msgspec.json.encode(entry).decode(), entry.withdrawn) for entry in entries if entry
        ]
        return parts, sum(entry is None for entry in entries)


def opened(cases: DuringCases, sites: Iterable[TenantRuntime]) -> Intake:
    """With a reader for each tenant that reads anything."""
    reading = [site for site in sites if mode_gate.reads(site.tenant)]
    made = {site.tenant.id: _reader(site) for site in reading}
    return Intake(cases, made)


def _reader(site: TenantRuntime) -> CourseReader:
    """By the codes, units, zone and clocks of the site."""
    ahead = site.tenant.during.clock_offsets
    return reader("", site.zone, maps=site.maps, units=site.rules.units, ahead_s=ahead)


def _entry(raw: bytes, by: CourseReader) -> CourseEntry | None:
    """As it is read; a later version that speaks of nothing here any more takes the place of what did."""
    entry = read_entry(raw, by)
    if entry is not None:
        return entry
    try:
        head = _HEAD.decode(raw)
    except UNREADABLE_JSON:
        return None
    changed = head.status in _CHANGED or head.meta.version_id not in ("", "1")
    if not changed or not head.id:
        return None
    updated = instant(head.meta.last_updated, by.zone)
    return CourseEntry(head.id, updated.timestamp() if updated else None, head.meta.version_id, head.status)


def _sum(kept: Sequence[KeptParts], ignored: int, filing: Filing) -> Arrived:
    new, repeated, refused = (sum(getattr(one, name) for one in kept) for name in ("new", "repeated", "refused"))
    return Arrived(new, repeated, refused, ignored, filing.unfiled)
