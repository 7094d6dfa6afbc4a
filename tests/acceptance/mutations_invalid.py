"""Changes of one resource, or of a whole list, after which what it said can no longer be read, or may not be used."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from msgspec import Struct

from tests.acceptance.mutations_irrelevant import bundles
from tests.acceptance.unreadable import CONDITIONS, ENTRIES, MEDICATIONS, PROCEDURE, UNKNOWN_SYSTEM

Json = dict[str, Any]
Path = tuple[str | int, ...]
ANOTHER_PATIENT = "another patient"
NUMBER_TOO_LARGE = "@1e309@"  # written without quotes by `mutation_run.encoded`
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
# What stands in place of any leaf: null, another type, what is too long, and characters that nobody expects.
ODD: tuple[Any, ...] = (
    None, {}, [], [None], [[]], {"": ""}, True, -1, 1e300, NUMBER_TOO_LARGE, "", " ", "\x00", "\ud800", "\u202e\u200b",
    "\U0001f4a9", "NaN", "Infinity", "null", "٣", "<script>", "'; --", "%00", "x" * 65_536, "é" * 10_000, "../../x",
)  # fmt: skip
_DATES = ("2026-13-45", "2026-02-30", "yesterday", "20.11.2026", "2026-11-1", "0000-00-00", "2026-11-19T25:61:00Z",
          "2026-11-19T08", "+2026-11-19", 20261119, None, [], {"start": "2026"}, "2026-11-19T08:00:00+99")  # fmt: skip
_WORDS = ("n/a", "see note", "NaN", "Infinity", "-", "++", "12,,5", "1e+", "0x10", "ten", "", "12.5 bananas", "< >")
_UNITS = ("banana", "mmol/mol{wrong", "s", "°F", "mg/dL/kg", "10*", "<b>g/dL</b>", "g/dL g/L")
_CODES = ("?!", "", " ", "718-7-9", "x" * 5_000, 7, None, [], {"code": "718-7"})
_STATUSES = ("unknown", "FINAL?", "", 7, None, [], {"coding": []}, "entered in error")


class Target(Struct, frozen=True):
    """One resource of the request: its key and its place in the Bundle (None: the key holds the resource itself)."""

    key: str
    place: int | None

    def of(self, prefetch: Json) -> Json:
        """The resource itself."""
        found: Json = prefetch[self.key] if self.place is None else prefetch[self.key]["entry"][self.place]["resource"]
        return found

    def put(self, prefetch: Json, resource: Any) -> None:
        """Another in its place."""
        if self.place is None:
            prefetch[self.key] = resource
        else:
            prefetch[self.key]["entry"][self.place]["resource"] = resource

    def remove(self, prefetch: Json, *, whole: bool = False) -> None:
        """As if it, or its whole list, had never been recorded."""
        one = prefetch[self.key]
        if self.place is None:
            return
        if whole:
            prefetch[self.key] = {"resourceType": "Bundle", "type": "searchset"}
            return
        del one["entry"][self.place]
        if isinstance(one.get("total"), int):
            one["total"] -= 1


def targets(prefetch: Json) -> list[Target]:
    """Every resource of a type, with an id that no other has."""
    found = [
        Target(key, place)
        for key, one in bundles(prefetch)
        for place, entry in enumerate(one.get("entry", ()))
        if isinstance(entry.get("resource"), dict) and entry["resource"].get("id")
    ]
    seen = [str(one.of(prefetch)["id"]) for one in found]
    return [one for one, name in zip(found, seen, strict=True) if seen.count(name) == 1] + [Target("patient", None)]


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where each value stands that is no object and no list, and each object and list but the outermost."""
    if path:
        yield path
    for name, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from leaves(inner, (*path, name))


def put(content: Any, path: Path, value: Any) -> None:
    """Another value in a place, in the content itself."""
    for name in path[:-1]:
        content = content[name]
    content[path[-1]] = value


class Done(Struct, frozen=True):
    """What was done: its name, the place, and whether the resource may not be used at all since (`kills`).

    `excuses`: it may have become something else that is read, so that what it said may be told as absent.
    `whole`: the whole list is hit.
    """

    name: str
    path: Path = ()
    kills: bool = False
    excuses: bool = False
    whole: bool = False


def anywhere(chance: Random, resource: Json) -> Done:
    """An odd value in any place."""
    path = chance.choice(list(leaves(resource)))
    value = copy.deepcopy(chance.choice(ODD))
    put(resource, path, value)
    return Done(f"{_brief(value)} at", path, excuses=_excuses(path, value))


_SAYS_WHEN = ("clinicalStatus", "category", "onset", "abatement", "recordedDate", "authoredOn", "performed",
              "dosageInstruction", "dispenseRequest", "verificationStatus")  # fmt: skip


def _excuses(path: Path, value: Any) -> bool:
    """An absent date or status makes the past of a disease; one coding of several may go, the others are read."""
    is_code = "coding" in path or path[0] in ("code", "medicationCodeableConcept")
    return (str(path[0]).startswith(_SAYS_WHEN) and value in (None, {}, [])) or (is_code and len(path) > 1)


def an_observation(chance: Random, resource: Json) -> Done:
    """A result that nobody may use: its value, its unit, its time, its status or its code is none."""
    name, change = chance.choice(list(_OBSERVATION.items()))
    change(chance, resource)
    return Done(name, kills=True, excuses=True)


def _valued(resource: Json) -> list[Json]:
    return [one for one in (resource, *resource.get("component", ())) if isinstance(one, dict)]


def _another_value(chance: Random, resource: Json, member: str, value: Any) -> None:
    for one in _valued(resource):
        had = [name for name in one if name.startswith("value")]
        for name in had:
            del one[name]
        if had:
            one[member] = copy.deepcopy(value)


def _quantity_with(chance: Random, resource: Json, **members: Any) -> None:
    for one in _valued(resource):
        had = [name for name in one if name.startswith("value")]
        old = one.get("valueQuantity")
        for name in had:
            del one[name]
        if had:
            quantity = {**(old if isinstance(old, dict) else {"value": 3, "unit": "1"}), **members}
            one["valueQuantity"] = {name: value for name, value in quantity.items() if value is not ...}


def _bad_value(chance: Random, resource: Json) -> None:
    _quantity_with(
        chance, resource, value=chance.choice([-1, -0.5, 1e12, 1e300, NUMBER_TOO_LARGE, "NaN", "12.x", True, [12]])
    )


def _bad_unit(chance: Random, resource: Json) -> None:
    unit = chance.choice(_UNITS)
    _quantity_with(chance, resource, unit=unit, code=chance.choice([unit, ...]))


def _bad_comparator(chance: Random, resource: Json) -> None:
    _quantity_with(chance, resource, comparator=chance.choice(["~", "<<", "about", " ", 7, [], "ad", "=<"]))


def _no_value(chance: Random, resource: Json) -> None:
    _quantity_with(chance, resource, value=chance.choice([..., None]))


def _bad_text(chance: Random, resource: Json) -> None:
    _another_value(chance, resource, "valueString", chance.choice(_WORDS))


def _bad_answer(chance: Random, resource: Json) -> None:
    coding = {"system": chance.choice([UNKNOWN_SYSTEM, "http://snomed.info/sct", 7]), "code": chance.choice(_CODES)}
    _another_value(chance, resource, "valueCodeableConcept", {"coding": [coding]})


def _bad_time(chance: Random, resource: Json) -> None:
    for name in [one for one in resource if one.startswith("effective") or one == "issued"]:
        del resource[name]
    resource["effectiveDateTime"] = copy.deepcopy(chance.choice(_DATES))


def _bad_status(chance: Random, resource: Json) -> None:
    resource["status"] = copy.deepcopy(chance.choice(_STATUSES))


def _other_kind(chance: Random, resource: Json) -> None:
    member, value = chance.choice([("valueBoolean", "perhaps"), ("valueRatio", {}), ("valueSampledData", {})])
    _another_value(chance, resource, member, value)


_OBSERVATION: dict[str, Callable[[Random, Json], None]] = {
    "value out of range": _bad_value,
    "a unit that is none": _bad_unit,
    "a comparator that is none": _bad_comparator,
    "a quantity without value": _no_value,
    "words for a value": _bad_text,
    "an answer that is none": _bad_answer,
    "a time that is none": _bad_time,
    "a status that is none": _bad_status,
    "a value of a kind that is not read": _other_kind,
}
_LISTED = {
    "Condition": ENTRIES | CONDITIONS,
    "MedicationRequest": ENTRIES | MEDICATIONS,
    "Procedure": {name: way for name, way in ENTRIES.items() if name != "status no text"} | PROCEDURE,
}


def an_entry(chance: Random, resource: Json) -> Done | None:
    """One of the ways of unreadable.py, in place; None where it does not fit a resource of this shape."""
    kind = resource["resourceType"]
    name, way = chance.choice(list(_LISTED[kind].items()))
    try:
        changed = copy.deepcopy(way(copy.deepcopy(resource)))
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    code = resource.get("code")
    codings = code.get("coding") if isinstance(code, dict) else None
    one_coding = kind == "MedicationRequest" or (isinstance(codings, list) and len(codings) == 1)
    resource.clear()
    resource.update(changed)
    return Done(name, excuses=not one_coding)


def another_patient(resource: Json) -> Done:
    """The data of somebody else: then nothing may be told (DEC-14)."""
    if resource.get("resourceType") == "Patient":
        resource["id"] = "somebody-else"
    else:
        resource["subject"] = {"reference": "Patient/somebody-else"}
    return Done(ANOTHER_PATIENT)


def structural(chance: Random, prefetch: Json, target: Target) -> Done:
    """The list, or the entry of the target, of another shape than a Bundle has."""
    bundle, place = prefetch[target.key], target.place
    assert place is not None
    entry = bundle["entry"][place]
    gone = {**bundle, "entry": [one for one in bundle["entry"] if one is not entry]}
    total = len(bundle["entry"])
    ways: dict[str, Any] = {
        "cut off, its total stays": gone | {"total": total},
        "cut off, next page elsewhere": gone | {"link": [{"relation": "next", "url": "https://elsewhere.example/2"}]},
        "cut off, a link that is none": gone | {"link": [{"relation": "next", "url": 7}]},
        "cut off, a total that is none": gone | {"total": chance.choice(["7", -1, 1e300, [1], True, "many"])},
        "an error among the entries": gone | {"entry": [*gone["entry"], {"resource": OUTCOME}]},
        "an error in its place": OUTCOME,
        "another type of Bundle": bundle | {"type": chance.choice(["history", "batch", "document", "x", 7, []])},
        "no type of resource": {name: value for name, value in bundle.items() if name != "resourceType"},
        "another resource": {"resourceType": "List", "status": "current", "mode": "working"},
        "entries that are no list": bundle | {"entry": chance.choice([{"0": entry}, "entry", 7, True])},
        "nested lists": bundle | {"entry": [[one] for one in bundle["entry"]]},
        "a list of lists": [[bundle]],
        "a text": "see chart",
        "a number": 7,
        "an entry without its resource": _with(bundle, place, {"fullUrl": "https://ehr.example/Condition/1"}),
        "an entry that is no object": _with(bundle, place, chance.choice(["x", 7, None, [], [entry], True])),
        "a resource that is none": _with(bundle, place, {"resource": chance.choice(["x", 7, None, [entry]])}),
        "a resource without its type": _with(bundle, place, {"resource": _typed(entry["resource"], ...)}),
        "a type of no resource": _with(
            bundle, place, {"resource": _typed(entry["resource"], chance.choice(["Conditions", 7, None, "", ["x"]]))}
        ),
    }  # fmt: skip
    name = chance.choice(list(ways))
    prefetch[target.key] = ways[name]
    return Done(name, (target.key,), whole=name in _WHOLE)


_WHOLE = frozenset({
    "an error in its place", "another type of Bundle", "no type of resource", "another resource",
    "entries that are no list", "nested lists", "a list of lists", "a text", "a number",
})  # fmt: skip


def _with(bundle: Json, place: int, entry: Any) -> Json:
    return bundle | {"entry": [entry if at == place else one for at, one in enumerate(bundle["entry"])]}


def _typed(resource: Json, kind: Any) -> Json:
    found = resource | {"resourceType": kind}
    return {name: value for name, value in found.items() if value is not ...}


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 20 else f"{text[:12]}… ({len(text)})"
