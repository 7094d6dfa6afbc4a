"""From the searches' JSON to typed resources: each read once, alone, and only if it is this patient's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from fhir_mappings.fhir import lists
from fhir_mappings.fhir.elements import Reference
from fhir_mappings.fhir.resource_types import R4_TYPES
from fhir_mappings.fhir.resources import UNREADABLE_JSON, Encounter, Medication, Patient, Resource
from fhir_mappings.fhir.search_result import SearchResult

__all__ = [
    "UNREADABLE_JSON",
    "ReadResources",
    "WrongPatientError",
    "decode_resources",
    "is_other_version",
    "names_another",
    "of_type",
    "referenced_patient",
    "why_not_subject",
    "without",
]

FHIR_VERSION, UNREADABLE, SUBJECT_UNKNOWN = "fhir-version-unsupported", "unreadable", "subject-unknown"
MODIFIER = "modifier-unknown"
_MISMATCH = "another-patient"

# Names of resource types that R4 no longer has, of members that an R4 resource cannot have, and of members that
# have another shape in R4. Source: the R4 version history pages, https://hl7.org/fhir/R4/diff.html
_OTHER_TYPES = frozenset({"MedicationOrder", "MedicationPrescription", "MedicationUsage", "DiagnosticOrder"})
_OTHER_MEMBERS = {
    "Condition": {"assertedDate", "dateRecorded", "dateAsserted", "patient", "context"},
    "Observation": {"comments", "comment", "related", "context", "appliesDateTime", "appliesPeriod"},
    "DiagnosticReport": {"codedDiagnosis", "context", "image"},
    "Procedure": {"notDone", "notPerformed", "context", "occurrenceDateTime", "occurrencePeriod"},
    "Medication": {"product", "isBrand"},
    "MedicationRequest": {"medication", "context", "patient"},
    "MedicationStatement": {"medication", "taken", "wasNotTaken", "notTaken", "patient"},
}
_OTHER_SHAPES: dict[tuple[str, str], type] = {
    ("Condition", "clinicalStatus"): str,
    ("Condition", "verificationStatus"): str,
    ("Condition", "category"): dict,
    ("Observation", "category"): dict,
    ("Procedure", "category"): list,
    ("Encounter", "class"): list,
    ("DiagnosticReport", "category"): dict,
}

_DECODER: msgspec.json.Decoder[Resource] = msgspec.json.Decoder(Resource)
_TOGETHER = 200  # resources: about 100 kB of JSON
_LIST_DECODER: msgspec.json.Decoder[list[Resource]] = msgspec.json.Decoder(list[Resource])


class WrongPatientError(Exception):
    """A resource names another patient than the one asked about: nothing may be scored (DEC-14).

    `key` is the prefetch key or "orders"; `supplied` tells whether the client sent it or the service fetched it.
    The message holds no identifier.
    """

    def __init__(self, key: str, supplied: str) -> None:
        super().__init__(f"{key}: a resource names another patient ({supplied})")
        self.key = key
        self.supplied = supplied


class ReadResources(Struct, frozen=True):
    """What one search brought: typed resources, how many were set aside for which reason, and those themselves.

    `cut`: a List among them may lack any number of entries.
    """

    resources: tuple[Resource, ...] = ()
    set_aside: dict[str, int] = {}
    unread: tuple[Raw | Resource, ...] = ()
    cut: bool = False


def decode_resources(
    key: str, result: SearchResult, patient_id: str, beside: Iterable[SearchResult] = ()
) -> ReadResources:
    """The readable resources of this patient; raises WrongPatientError where one is another patient's.

    `beside`: what came under other keys, where a List may name it.
    """
    if not result.resources and not result.decoded:
        return ReadResources()
    decoded, subjects = (
        (result.decoded, _subjects_of(result.decoded)) if result.decoded else _all_decoded(result.resources)
    )
    if subjects == {f"Patient/{patient_id}"}:  # the hot path: nearly always every resource names this patient
        return ReadResources(tuple(decoded))  # type: ignore[arg-type]
    people = _named_people(result) if result.named else {}
    aside: Counter[str] = Counter()
    resources: list[Resource] = []
    unread: list[Raw | Resource] = []
    for number, resource in enumerate(decoded):
        if resource is None:
            reason = _why_unreadable(result.resources[number], patient_id)
        elif (reason := _why_not_this_patient(resource, patient_id, people)) is None:
            resources.append(resource)
        if reason == _MISMATCH:
            raise WrongPatientError(key, result.supplied)
        if reason:
            aside[reason] += 1
            unread.append(result.resources[number] if resource is None else resource)
    if None not in decoded:
        return ReadResources(tuple(resources), dict(aside), tuple(unread))
    if absent := lists.not_sent(key, result.resources, result.named, beside):
        aside[UNREADABLE] += absent
    return ReadResources(tuple(resources), dict(aside), tuple(unread), lists.leaves_out(result.resources))


def _is_turned(content: object) -> bool:
    """Whether it, or what is in it, has a member that could turn its meaning: what no reader takes (resources.py).

    https://hl7.org/fhir/R4/extensibility.html#modifierExtension, https://hl7.org/fhir/R4/resource.html#Resource
    """
    waiting = [content]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if one.get("modifierExtension") or one.get("implicitRules"):
                return True
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return False


def _plus(part: ReadResources, reason: str, count: int) -> ReadResources:
    return replace(part, set_aside=dict(+(Counter(part.set_aside) + Counter({reason: count}))))


def _all_decoded(raws: Sequence[Raw]) -> tuple[Sequence[Resource | None], set[str | None]]:
    """Every resource, None for what cannot be read, and whom they name; by the hundred, which fits a cache."""
    if len(raws) <= _TOGETHER:
        decoded = _decoded_together(raws)
        return decoded, _subjects_of(decoded)
    found: list[Resource | None] = []
    named: set[str | None] = set()
    for start in range(0, len(raws), _TOGETHER):
        decoded = _decoded_together(raws[start : start + _TOGETHER])
        named |= _subjects_of(decoded)
        found += decoded
    return found, named


def _subjects_of(resources: Iterable[Resource | None]) -> set[str | None]:
    """Whom the resources name, as written; with None where one names nobody, is no such resource or cannot be read."""
    try:
        return {one.subject.reference for one in resources}  # type: ignore[union-attr]
    except AttributeError:
        return {None}


def _decoded_together(raws: Sequence[Raw]) -> Sequence[Resource | None]:
    """All at once where all can be read, which is a fifth faster; else one by one."""
    try:
        return _LIST_DECODER.decode(b"[" + b",".join(raws) + b"]")
    except UNREADABLE_JSON:
        return [_decoded(raw) for raw in raws]


def _decoded(raw: Raw) -> Resource | None:
    try:
        return _DECODER.decode(raw)
    except UNREADABLE_JSON:
        return None


def without(part: ReadResources, unreadable: Sequence[Resource]) -> ReadResources:
    """The part without those that turned out to be unreadable, which are counted with the others set aside."""
    ids = {id(one) for one in unreadable}
    kept = tuple(one for one in part.resources if id(one) not in ids)
    gone = tuple(one for one in part.resources if id(one) in ids)
    return _plus(replace(part, resources=kept, unread=(*part.unread, *gone)), UNREADABLE, len(gone))


def _named_people(result: SearchResult) -> dict[str, str]:
    """Whose Patient resource each name is that the Bundle gives (`urn:uuid:…` as fullUrl; messy case 40)."""
    decoded = [(name, _decoded(raw)) for name, raw in result.named]
    return {name: one.id or "" for name, one in decoded if isinstance(one, Patient)}


def _why_not_this_patient(resource: Resource, patient_id: str, people: Mapping[str, str]) -> str | None:
    if isinstance(resource, Patient):
        return None if resource.id == patient_id else _MISMATCH
    if isinstance(resource, Medication):
        return None
    if isinstance(resource, Encounter) and resource.subject is None:
        return None  # asked for by patient and id; Encounter.subject is optional
    named = people.get(resource.subject.reference or "") if resource.subject is not None else None
    if named is not None:
        return None if named == patient_id else _MISMATCH
    return why_not_subject(resource.subject, patient_id)


def why_not_subject(subject: Reference | None, patient_id: str) -> str | None:
    """None if the reference names this patient; "subject-unknown" if it names nobody; else a mismatch."""
    if subject is not None and subject.reference == f"urn:uuid:{patient_id}":
        return None
    named = referenced_patient(subject)
    if named is None:
        return SUBJECT_UNKNOWN
    return None if named == patient_id else _MISMATCH


def names_another(subject: Reference | None, patient_id: str) -> bool:
    """Whether the reference names somebody else; an absent or unresolvable one does not (DEC-14)."""
    return why_not_subject(subject, patient_id) == _MISMATCH


def referenced_patient(subject: Reference | None) -> str | None:
    """The id in `Patient/x`, absolute or versioned; None for any other reference.

    A logical `identifier` alone and a contained subject are not resolved (messy case 40).
    """
    text = subject.reference if subject is not None else None
    if not text:
        return None
    parts = text.split("/_history/")[0].split("/")
    if len(parts) >= 2 and parts[-2] == "Patient":
        return parts[-1]
    return None


def _why_unreadable(raw: Raw, patient_id: str) -> str | None:
    """Why a resource was not read; None for a type that no input needs (Practitioner, Provenance, …)."""
    try:
        content = msgspec.json.decode(raw)
    except UNREADABLE_JSON:
        return UNREADABLE
    if not isinstance(content, dict):
        return UNREADABLE
    if any(names_another(subject, patient_id) for subject in _subjects(content)):
        return _MISMATCH
    kind = str(content.get("resourceType"))
    if _is_turned(content) and kind in _READ_TYPES:
        return MODIFIER
    if kind in _OTHER_TYPES or is_other_version(content):
        return FHIR_VERSION
    withheld = kind == "List" and lists.is_withheld(content)
    return None if kind in R4_TYPES and kind not in _READ_TYPES and not withheld else UNREADABLE


def is_other_version(content: dict[str, Any]) -> bool:
    """Whether the resource has a member, or the shape of a member, that R4 does not have."""
    kind = str(content.get("resourceType"))
    if _OTHER_MEMBERS.get(kind, set()) & content.keys():
        return True
    return any(k == kind and isinstance(content.get(m), shape) for (k, m), shape in _OTHER_SHAPES.items())


def _subjects(content: dict[str, Any]) -> Iterator[Reference]:
    for member in ("subject", "patient"):
        value = content.get(member)
        if isinstance(value, dict) and isinstance(value.get("reference"), str):
            yield Reference(value["reference"])


_READ_TYPES = frozenset(kind.__struct_config__.tag for kind in Resource.__args__)


def of_type(resources: Iterable[Resource], kind: type) -> Iterator[Any]:
    """Those of one resource type, in the order in which they came."""
    return (resource for resource in resources if type(resource) is kind)
