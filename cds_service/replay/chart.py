"""The chart of one patient from their resources of today, as a prefetch would have held it at an instant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from msgspec import Raw, Struct

from cds_service.replay.as_then import as_then
from cds_service.replay.known_at import Dated, dated, is_known, moments
from cds_service.tenant_runtime import TenantRuntime
from fhir_mappings.fhir.clock import Clock, clock
from fhir_mappings.fhir.dates import Moment
from fhir_mappings.fhir.elements import concept
from fhir_mappings.fhir.resources import UNREADABLE_JSON

NO_REPLAY_AHEAD = timedelta(0)  # inputs 1.2
# The prefetch key of each type that is read; results are told apart by their code, the visit is the order's own.
KEY_OF = {
    "Patient": "patient",
    "Condition": "conditions",
    "Observation": "observations",
    "MedicationRequest": "medications",
    "MedicationStatement": "medications",
    "Medication": "medications",
    "MedicationOrder": "medications",
    "MedicationPrescription": "medications",
    "MedicationUsage": "medications",
    "Procedure": "procedures",
    "Encounter": "encounter",
    "ServiceRequest": "orders",
    "DiagnosticReport": "reports",
}
# What the templates of these keys ask for by status (features/queries.py): a server does not send the others.
_OTHER_STATUSES = {
    "MedicationRequest": frozenset({"on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft"}),
    "Procedure": frozenset({"preparation", "in-progress", "not-done", "on-hold", "stopped", "entered-in-error"}),
    "ServiceRequest": frozenset({"on-hold", "completed", "revoked", "entered-in-error", "draft"}),
}


class ChartEntry(Struct, frozen=True, gc=False):
    """One resource, its dates, and the prefetch key under which it is read."""

    raw: Raw
    head: Dated
    key: str
    known: tuple[Moment, ...]


class Then(Struct, frozen=True):
    """The prefetch of an instant; `undecided`: by key, of how many entries it is not known how they stood then."""

    prefetch: Mapping[str, Raw]
    undecided: Mapping[str, int]


NOTHING_READ = Then({}, {})


class PatientChart(Struct, frozen=True, dict=True):
    """All of one patient; `provided`: the resource types that the export holds of anybody."""

    entries: tuple[ChartEntry, ...]
    site: TenantRuntime
    provided: frozenset[str]

    def clock(self, as_of: datetime) -> Clock:
        """The clock of replay: nothing may claim to be later than the instant."""
        return clock(as_of, self.site.zone, NO_REPLAY_AHEAD)

    def at(self, as_of: datetime, *, encounter: str | None, without: frozenset[str]) -> Then:
        """As the prefetch would have held it; `without`: the orders that are asked about, by `Type/id`.

        A key whose types the export holds of nobody is left out: it was not provided, which is not "none".
        """
        now = self.clock(as_of)
        found: dict[str, list[bytes]] = {key: [] for key in self._keys}
        undecided: Counter[str] = Counter()
        for one in self.entries:
            if not is_known(one.known, now) or one.key not in found or _is_left_out(one.head, without):
                continue
            raw, untold = as_then(one.raw, one.head, now)
            if one.key == "encounter" and one.head.id != encounter:
                continue
            if untold:
                undecided[one.key] += 1
            if raw is not one.raw or one.head.status not in _OTHER_STATUSES.get(one.head.resource_type, ()):
                found[one.key].append(bytes(raw))
        return Then(_prefetch(found, encounter), dict(sorted(undecided.items())))

    @cached_property
    def _keys(self) -> tuple[str, ...]:
        types = {KEY_OF[kind] for kind in self.provided if kind in KEY_OF}
        if "observations" in types:
            types.add("labs")
        return tuple(key for key in self.site.templates if key in types)


def read_chart(
    resources: Iterable[Raw], site: TenantRuntime, provided: frozenset[str], zone_clock: Clock
) -> PatientChart:
    """The resources with their dates, in an order that does not depend on how they came."""
    laboratory = _asked_by_code(site.templates.get("labs", ""))
    entries = []
    for raw in sorted(resources, key=bytes):
        head = dated(raw)
        if head is None or (key := KEY_OF.get(head.resource_type)) is None:
            continue
        if key == "observations" and _is_any_of(head.code, laboratory):
            key = "labs"
        entries.append(ChartEntry(raw, head, key, moments(head, zone_clock)))
    return PatientChart(tuple(entries), site, provided)


def _is_left_out(head: Dated, without: frozenset[str]) -> bool:
    return bool(without) and f"{head.resource_type}/{head.id}" in without


def _prefetch(found: Mapping[str, Sequence[bytes]], encounter: str | None) -> dict[str, Raw]:
    sent = {key: _bundle(those) for key, those in found.items() if key != "patient"}
    if encounter is None:
        sent.pop("encounter", None)
    if people := found.get("patient"):
        sent["patient"] = Raw(people[0])
    return sent


def _bundle(resources: Sequence[bytes]) -> Raw:
    if not resources:
        return Raw(b'{"resourceType":"Bundle","type":"searchset","total":0}')
    entries = b'},{"resource":'.join(resources)
    return Raw(b'{"resourceType":"Bundle","type":"searchset","entry":[{"resource":' + entries + b"}]}")


def _asked_by_code(template: str) -> frozenset[str]:
    """The `system|code` that a template asks for."""
    asked = [part.removeprefix("code=") for part in template.split("&") if part.startswith("code=")]
    return frozenset(token for part in asked for token in part.split(","))


def _is_any_of(written_code: Raw, tokens: frozenset[str]) -> bool:
    try:
        codings = concept(bytes(written_code)).coding
    except UNREADABLE_JSON:
        return False
    return any(f"{one.system}|{one.code}" in tokens for one in codings)
