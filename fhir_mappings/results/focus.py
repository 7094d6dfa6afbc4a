"""Of whom a result is that names its focus: the patient's, or somebody else's in the patient's record.

https://hl7.org/fhir/R4/observation-definitions.html#Observation.focus: who or what it is about "when it is not the
patient of record". A specimen, a device, a report or a disease is of the patient's own body or care; a donor, an
unborn child or a relative is not, nor is what cannot be resolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir.elements import ABSENT
from fhir_mappings.fhir.resource_types import R4_TYPES
from fhir_mappings.fhir.resources import UNREADABLE_JSON, Observation, Patient

_NOTHING = (b"", b"null", b"[]")
# https://hl7.org/fhir/R4/resourcelist.html, "Individuals": of these one is the patient, the others are somebody else.
_PEOPLE = frozenset({"Patient", "RelatedPerson", "Person", "Group", "Practitioner", "PractitionerRole"})
_THINGS = R4_TYPES - _PEOPLE
_DEEPEST = 3  # from a specimen to its subject, and no further than such chains go
Json = dict[str, Any]


class Whose(Struct, frozen=True, dict=True):
    """By what the patient is known: id, the Patient resource, and the resources that a Bundle names (`urn:…`)."""

    patient_id: str
    patient: Patient | None = None
    named: Mapping[str, Raw] = {}

    def is_of_another(self, observation: Observation) -> bool:
        """Whether a result is about somebody else, or about something of which that cannot be told."""
        if bytes(observation.focus) in _NOTHING:
            return False
        written = json(observation.focus)
        listed = written if isinstance(written, list) else [written]
        inside = {one.get("id"): one for one in map(json, contained(observation.contained)) if isinstance(one, dict)}
        return not listed or not all(self._is_own(one, inside) for one in listed)

    def _is_own(self, one: object, inside: Mapping[Any, Json], depth: int = 0) -> bool:
        if not isinstance(one, dict) or depth > _DEEPEST:
            return False
        text = one.get("reference")
        if not isinstance(text, str) or not text:
            return self._is_own_by_identifier(one)
        if text in ("#", f"urn:uuid:{self.patient_id}"):  # "#" is the result itself
            return True
        if text.startswith("#") or text in self.named:
            found = inside.get(text[1:]) if text.startswith("#") else json(self.named[text])
            return isinstance(found, dict) and self._is_own_resource(found, inside, depth)
        parts = parts_of(text)
        kind = parts[-2] if len(parts) > 1 else ""
        return parts[-1] == self.patient_id if kind == "Patient" else _is_thing(kind)

    def _is_own_by_identifier(self, reference: Json) -> bool:
        kind = reference.get("type")
        kind = kind.rpartition("/")[2] if isinstance(kind, str) else ""
        return _is_thing(kind) or (kind in ("", "Patient") and self._is_identified([reference.get("identifier")]))

    def _is_own_resource(self, found: Json, inside: Mapping[Any, Json], depth: int) -> bool:
        kind = found.get("resourceType")
        if kind == "Patient":
            return found.get("id") == self.patient_id or self._is_identified(found.get("identifier"))
        subject = found.get("subject") or found.get("patient")
        is_told = isinstance(subject, dict) and bool(subject.get("reference"))
        return _is_thing(kind) and (not is_told or self._is_own(subject, inside, depth + 1))

    def _is_identified(self, identifiers: object) -> bool:
        return not self._identifiers.isdisjoint(_identifiers(identifiers))

    @cached_property
    def _identifiers(self) -> frozenset[tuple[str, str]]:
        return _identifiers(json(self.patient.written_identifiers)) if self.patient else frozenset()


def _is_thing(kind: object) -> bool:
    return isinstance(kind, str) and kind in _THINGS


def _identifiers(written: object) -> frozenset[tuple[str, str]]:
    listed = [one for one in written if isinstance(one, dict)] if isinstance(written, list) else []
    pairs = [(one.get("system"), one.get("value")) for one in listed]
    return frozenset((a, b) for a, b in pairs if isinstance(a, str) and isinstance(b, str) and a and b)


def parts_of(reference: str) -> list[str]:
    """What stands between the slashes of a reference, without the version."""
    return reference.partition("/_history/")[0].split("/")


def contained(written: Raw) -> list[Raw]:
    """The contained resources as they are written; what is no list stands alone."""
    if bytes(written) in _NOTHING:
        return []
    try:
        return msgspec.json.decode(written, type=list[Raw])
    except UNREADABLE_JSON:
        return [written]


def json(written: Raw) -> Any:
    """What the JSON says; None where it is none."""
    try:
        return msgspec.json.decode(written) if written is not ABSENT else None
    except UNREADABLE_JSON:
        return None
