"""What stands around the entries of a list says that some of them did not come (foreign_lists.py)."""

from __future__ import annotations

from typing import Any

from tests.acceptance.foreign_lists import HL7, UNKNOWN, WHO, Foreign, coded
from tests.acceptance.requests import a_condition, bundle
from tests.acceptance.unreadable import entry, searchset

Json = dict[str, Any]


def warned(code: str | int, *resources: Json, severity: str = "warning") -> Json:
    """A searchset with an OperationOutcome, as Epic adds it (code 59204: a part for which the client has no scope)."""
    said = {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}
    return searchset(*map(entry, resources), entry(said) | {"search": {"mode": "outcome"}})


_ONE = a_condition("M54.50")
_REDACTED = bundle(_ONE) | {"meta": {"security": [{"system": f"{HL7}/v3-ObservationValue", "code": "REDACTED"}]}}
_WITHHELD = {
    "resourceType": "List",
    "status": "current",
    "mode": "working",
    "subject": WHO,
    "emptyReason": coded((f"{HL7}/list-empty-reason", "withheld")),
}


_UK = "https://fhir.hl7.org.uk/CodeSystem/UKCore-ListEmptyReasonCode"
_LEFT_OUT = {
    "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-ListWarningCode",
    "valueCode": "confidential-items",
}


def _named(which: str) -> Json:
    return {"item": {"reference": f"Condition/{which}" if which else "#inside"}}


def _listing(*named: Json, **members: Any) -> Json:
    kept = {k: v for k, v in _WITHHELD.items() if k != "emptyReason"}
    return searchset(entry(_ONE), entry(kept | {"entry": list(named)} | members))


ENVELOPES: dict[str, tuple[Any, object]] = {
    "Epic: no right to a part of the search": (warned("suppressed", _ONE), UNKNOWN),
    "the same, and nothing found": (warned("suppressed"), UNKNOWN),
    "not every source answered in time": (warned("incomplete", _ONE, severity="information"), UNKNOWN),
    "Epic: no results": (warned("not-found"), False),
    "Epic: may not be the entire record": (warned("processing", _ONE), False),
    "Bundle redacted": (_REDACTED, UNKNOWN),
    "list withheld": (searchset(entry(_ONE), entry(_WITHHELD)), UNKNOWN),
    "GP Connect: confidential items left out": (
        searchset(entry(_ONE), entry(_WITHHELD | {"emptyReason": None, "extension": [_LEFT_OUT]})),
        UNKNOWN,
    ),
    "list of nothing known": (
        searchset(entry(_ONE), entry(_WITHHELD | {"emptyReason": coded((HL7, "nilknown"))})),
        False,
    ),
    "UK Core: no content recorded": (
        searchset(entry(_ONE), entry(_WITHHELD | {"emptyReason": coded((_UK, "no-content-recorded"))})),
        False,
    ),
    "list of nothing known, with a code of its own": (
        searchset(entry(_ONE), entry(_WITHHELD | {"emptyReason": coded((HL7, "nilknown"), ("urn:x", "NONE"))})),
        False,
    ),
    "list of nothing known, and withheld": (
        searchset(entry(_ONE), entry(_WITHHELD | {"emptyReason": coded((HL7, "nilknown"), (HL7, "withheld"))})),
        UNKNOWN,
    ),
    "list that names what did not come": (_listing(_named("c-other")), UNKNOWN),
    "list that holds a diagnosis itself": (_listing(_named("")), UNKNOWN),
    "list of what came": (_listing(_named(_ONE["id"])), False),
    "list of which one was taken off": (_listing(_named("c-other") | {"deleted": True}), False),
    "list that is no longer kept": (_listing(_named("c-other"), status="retired"), False),
    "list withheld, entered in error": (
        searchset(entry(_ONE), entry(_WITHHELD | {"status": "entered-in-error"})),
        False,
    ),
    "a warning without a readable code": (warned(5, _ONE), UNKNOWN),
    "total twelve of one": (bundle(_ONE) | {"total": 12}, UNKNOWN),
    "an IPS document in place of a search": (bundle(_ONE) | {"type": "document"}, UNKNOWN),
    "batch-response": ({"resourceType": "Bundle", "type": "batch-response", "entry": []}, UNKNOWN),
}
_ONE_MORE = {"list that names what did not come", "list that holds a diagnosis itself"}
_MANY = [a_condition(code) for code in ("I50.9", "I25.2", "I63.9", "E11.9", "N18.4", "J44.9", "C34.90")]


def _hidden(name: str) -> Json:
    """Who may be behind it: somebody with one disease more, or with any number of them."""
    return {"conditions": bundle(*(_MANY[:1] if name in _ONE_MORE else _MANY))}


FOREIGN_ENVELOPES = {
    f"envelope: {name}": Foreign(
        {"conditions": one},
        {"heart_failure": (told,), "cancer": (told,)},
        _hidden(name) if told == UNKNOWN else {},
    )
    for name, (one, told) in ENVELOPES.items()
}
