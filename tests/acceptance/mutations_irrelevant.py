"""Changes of a request that may change no number: order, wrapping, strangers, and other ways to write the same."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from typing import Any

from tests.acceptance.messy_cases import AS_OF
from tests.acceptance.mutation_pool import LISTS
from tests.acceptance.unreadable import UNKNOWN_SYSTEM, VERIFICATION

Json = dict[str, Any]
Change = Callable[[Random, Json], None]  # of the prefetch, in place
_SYSTEMS = ("code", "medicationCodeableConcept", "valueCodeableConcept")
# A unit, another way to write or count the same, and the factor between the numbers. Inputs 1.4 and 2.
_UNITS = {
    "g/dL": (("g/L", 10), ("g/dl", 1), ("gm/dL", 1)),
    "10*3/uL": (("10*9/L", 1), ("K/uL", 1), ("/uL", 1000)),
    "cm": (("m", 0.01), ("mm", 10)),
    "kg": (("g", 1000),),
}
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z")


def bundles(prefetch: Json) -> Iterator[tuple[str, Json]]:
    """The lists of a request that came as a Bundle."""
    return (
        (key, one) for key, one in prefetch.items() if isinstance(one, dict) and one.get("resourceType") == "Bundle"
    )


def resources(prefetch: Json) -> Iterator[Json]:
    """Every resource of every list, and the patient."""
    if isinstance(prefetch.get("patient"), dict):
        yield prefetch["patient"]
    for _, one in bundles(prefetch):
        yield from (entry["resource"] for entry in one.get("entry", ()) if isinstance(entry.get("resource"), dict))


def concepts(value: Any) -> Iterator[Json]:
    """Every CodeableConcept with codings."""
    if isinstance(value, dict):
        if isinstance(value.get("coding"), list):
            yield value
        for inner in value.values():
            yield from concepts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from concepts(inner)


def _order_of_entries(chance: Random, prefetch: Json) -> None:
    for _, one in bundles(prefetch):
        chance.shuffle(one.get("entry", []))


def _order_of_codings(chance: Random, prefetch: Json) -> None:
    for one in concepts(list(resources(prefetch))):
        chance.shuffle(one["coding"])


def _order_of_members(chance: Random, prefetch: Json) -> None:
    for one in [*resources(prefetch), *(each for _, each in bundles(prefetch))]:
        members = list(one.items())
        chance.shuffle(members)
        one.clear()
        one.update(members)


def _extensions(chance: Random, prefetch: Json) -> None:
    added = {"url": f"{UNKNOWN_SYSTEM}/note", "valueString": "diabetes, cancer"}
    for one in [*resources(prefetch), *concepts(list(resources(prefetch)))]:
        if chance.random() < 0.5:
            one["extension"] = [*one.get("extension", ()), added]


def _unknown_members(chance: Random, prefetch: Json) -> None:
    for one in resources(prefetch):
        one |= {"x_local": chance.choice([1, "text", None, {"deep": [1, 2]}, [], True]), "fhir_comments": ["none"]}


def _narrative(chance: Random, prefetch: Json) -> None:
    div = "<div xmlns='http://www.w3.org/1999/xhtml'>Heart failure, I50.9, insulin, creatinine 9.9 mg/dL</div>"
    for one in resources(prefetch):
        one["text"] = {"status": "generated", "div": div}


def _meta(chance: Random, prefetch: Json) -> None:
    for one in resources(prefetch):
        one["meta"] = {"versionId": "3", "lastUpdated": "2026-11-19T10:00:00Z", "tag": [{"code": "SUBSETTED?"}]}
        one["identifier"] = [{"system": UNKNOWN_SYSTEM, "value": str(chance.random())}]
        one["language"] = "de"


def _wrapping(chance: Random, prefetch: Json) -> None:
    for key, one in bundles(prefetch):
        one |= {"id": f"b-{key}", "meta": {"lastUpdated": "2026-11-20T08:59:59Z"}, "timestamp": "2026-11-20T08:59:59Z"}
        one["link"] = [*one.get("link", ()), {"relation": "self", "url": "https://ehr.example/fhir/x?_count=200"}]
        for entry in one.get("entry", ()):
            if not str(entry.get("fullUrl", "")).startswith("urn:"):
                kind = entry.get("resource", {}).get("resourceType", "X")
                entry["fullUrl"] = f"https://ehr.example/fhir/{kind}/{entry.get('resource', {}).get('id', 'x')}"


def _search_modes(chance: Random, prefetch: Json) -> None:
    for _, one in bundles(prefetch):
        if one.get("total") != len(one.get("entry", ())):
            continue
        del one["total"]
        for entry in one.get("entry", ()):
            mode = chance.choice(["match", "include", None])
            entry["search"] = {"mode": mode} if mode else {"score": 1}


def _subject(prefetch: Json) -> Json:
    return {"reference": f"Patient/{prefetch['patient'].get('id')}"}


def _strangers(chance: Random, prefetch: Json) -> None:
    """Resources of types that no input reads, among the others."""
    who = _subject(prefetch)
    found = [
        {"resourceType": "Provenance", "id": "st-1", "target": [], "recorded": "2026-11-19T10:00:00Z", "agent": []},
        {"resourceType": "Practitioner", "id": "st-2", "active": True},
        {"resourceType": "AllergyIntolerance", "id": "st-3", "patient": who, "code": {"text": "insulin"}},
        {"resourceType": "Immunization", "id": "st-4", "status": "completed", "patient": who},
        {"resourceType": "FamilyMemberHistory", "id": "st-5", "status": "completed", "patient": who},
    ]
    for key, one in bundles(prefetch):
        kinds = [entry.get("resource", {}).get("resourceType") for entry in one.get("entry", ())]
        if LISTS.get(key) in kinds:
            stranger = {"resource": copy.deepcopy(chance.choice(found)), "search": {"mode": "include"}}
            one["entry"].insert(chance.randrange(len(one["entry"]) + 1), stranger)


def _heart_rate(chance: Random, prefetch: Json) -> None:
    found = {
        "resourceType": "Observation",
        "id": "st-heart-rate",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": _subject(prefetch),
        "effectiveDateTime": "2026-11-18T08:00:00Z",
        "valueQuantity": {"value": 71, "unit": "/min"},
    }
    _add(prefetch, chance.choice(["labs", "observations"]), found)


def _add(prefetch: Json, key: str, resource: Json) -> None:
    one = prefetch.get(key)
    if isinstance(one, dict) and one.get("entry"):
        one["entry"].append({"resource": resource, "search": {"mode": "match"}})
        if isinstance(one.get("total"), int):
            one["total"] += 1


def _another_coding(chance: Random, prefetch: Json) -> None:
    for one in resources(prefetch):
        for member in _SYSTEMS:
            concept = one.get(member)
            if isinstance(concept, dict) and concept.get("coding") and chance.random() < 0.5:
                concept["coding"].append({"system": UNKNOWN_SYSTEM, "code": "X-77", "display": "heart failure"})


def _twice(chance: Random, prefetch: Json) -> None:
    for _, one in bundles(prefetch):
        if entries := [entry for entry in one.get("entry", ()) if _is_match(entry)]:
            one["entry"].append(copy.deepcopy(chance.choice(entries)))
            if isinstance(one.get("total"), int):
                one["total"] += 1


def _is_match(entry: Json) -> bool:
    mode = (entry.get("search") or {}).get("mode", "match")
    return isinstance(entry.get("resource"), dict) and mode == "match"


def _what_does_not_count(chance: Random, prefetch: Json) -> None:
    """Refuted, entered in error or still to come, in codes that nobody knows."""
    strange = {"coding": [{"system": UNKNOWN_SYSTEM, "code": "Z-1"}]}
    later = (AS_OF + timedelta(days=30)).isoformat()
    who = {"subject": _subject(prefetch)}
    refuted = {"coding": [{"system": VERIFICATION, "code": chance.choice(["refuted", "entered-in-error"])}]}
    condition: Json = {"resourceType": "Condition", "id": "st-6", "code": strange} | who
    more = chance.choice([{"verificationStatus": refuted}, {"recordedDate": later}])
    _add(prefetch, "conditions", condition | more)
    medicine: Json = {"resourceType": "MedicationRequest", "id": "st-7", "intent": "order"} | who
    _add(prefetch, "medications", medicine | {"status": "entered-in-error", "medicationCodeableConcept": strange})
    procedure: Json = {"resourceType": "Procedure", "id": "st-8", "code": strange} | who
    _add(prefetch, "procedures", procedure | {"status": "entered-in-error"})


def _system_spelt(chance: Random, prefetch: Json) -> None:
    for one in resources(prefetch):
        for concept in (one.get(member) for member in _SYSTEMS):
            for coding in concept.get("coding", ()) if isinstance(concept, dict) else ():
                system = coding.get("system")
                if isinstance(system, str) and system.startswith("http://") and "|" not in system:
                    spellings = (f"{system}/", f"{system}|2024", f"https{system[4:]}", system.upper())
                    coding["system"] = chance.choice(spellings)


def _other_units(chance: Random, prefetch: Json) -> None:
    for one in resources(prefetch):
        quantity = one.get("valueQuantity")
        if not isinstance(quantity, dict) or quantity.get("code", quantity.get("unit")) != quantity.get("unit"):
            continue
        value, unit = quantity.get("value"), quantity.get("unit")
        if unit in _UNITS and isinstance(value, int | float) and chance.random() < 0.5:
            other, factor = chance.choice(_UNITS[unit])
            quantity |= {"value": round(value * factor, 6), "unit": other}
            quantity.pop("code", None)


def _same_instants(chance: Random, prefetch: Json) -> None:
    def spelt(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: spelt(one) for name, one in value.items()}
        if isinstance(value, list):
            return [spelt(one) for one in value]
        return _INSTANT.sub(r"\1+00:00", value) if isinstance(value, str) else value

    for _, one in bundles(prefetch):
        one.update(spelt(one))


IRRELEVANT: dict[str, Change] = {
    "order of entries": _order_of_entries,
    "order of codings": _order_of_codings,
    "order of members": _order_of_members,
    "unknown extensions": _extensions,
    "unknown members": _unknown_members,
    "narrative": _narrative,
    "meta and identifiers": _meta,
    "wrapping": _wrapping,
    "search modes": _search_modes,
    "strangers": _strangers,
    "heart rate": _heart_rate,
    "another coding": _another_coding,
    "an entry twice": _twice,
    "what does not count": _what_does_not_count,
    "a system spelt otherwise": _system_spelt,
    "other units": _other_units,
    "instants spelt otherwise": _same_instants,
}
# Those that leave every resource as it is: they may stand beside a resource that is made invalid.
BESIDE = ("order of entries", "narrative", "meta and identifiers", "strangers", "unknown members", "heart rate")
KEYS = tuple(LISTS)
