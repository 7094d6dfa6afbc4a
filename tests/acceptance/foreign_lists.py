"""Problem lists, medicines and procedures as other systems and countries write them; `readable` tells the same plainly.

Each stands for a kind: of what it says, no input may be told as absent that the readable record has (DEC-37).
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tests.acceptance.requests import CPT, ICD, SNOMED, a_condition, bundle, days_ago
from tests.acceptance.unreadable import a_procedure

Json = dict[str, Any]
UNKNOWN = "unknown"
HL7 = "http://terminology.hl7.org/CodeSystem"
GM, OPS = "http://fhir.de/CodeSystem/bfarm/icd-10-gm", "http://fhir.de/CodeSystem/bfarm/ops"
IPS = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
WHO = {"reference": "Patient/pt-b"}


class Foreign(Struct, frozen=True):
    """What is sent in place of the plain keys, what each input may be, and the same person told in readable codes."""

    sent: Json
    accepted: Json
    readable: Json = {}


def coded(*codings: tuple[str, str], text: str | None = None) -> Json:
    concept: Json = {"coding": [{"system": system, "code": code} for system, code in codings]} if codings else {}
    return concept | ({"text": text} if text else {})


def problem(code: str = "E11.9", system: str = ICD, /, **members: Any) -> Json:
    """An active problem; a member given as `...` is left out."""
    return {k: v for k, v in (a_condition(code, system=system) | members).items() if v is not ...}


def done(code: str, system: str | None = None, /, **members: Any) -> Json:
    named = {"code": coded((system, code))} if system else {}
    return {k: v for k, v in (a_procedure(code) | named | members).items() if v is not ...}


def clinical(code: str, system: str = f"{HL7}/condition-clinical") -> Json:
    return {"coding": [{"system": system, "code": code}]}


def _problems(*resources: Json, accepted: Json, readable: str = "E11.9") -> Foreign:
    return Foreign({"conditions": bundle(*resources)}, accepted, {"conditions": bundle(a_condition(readable))})


DIABETES = {"diabetes": (True, UNKNOWN)}
HEART = {"heart_failure": (True, UNKNOWN)}
OLD = {"clinicalStatus": ..., "recordedDate": "2019-03-01", "category": [coded((HL7, "encounter-diagnosis"))]}
MAYBE = {"diabetes": (UNKNOWN,)}
PROBLEMS = {
    "GM, dagger and asterisk in one code": _problems(problem("E11.20+ N08.3*", GM), accepted=DIABETES),
    "GM, assured, with its side": _problems(
        problem("I50.13 G", GM), accepted={"heart_failure": (True,)}, readable="I50.9"
    ),
    "GM, suspected": _problems(problem("I50.13 V", GM), accepted={"heart_failure": (UNKNOWN,)}),
    "GM code under WHO's URI": _problems(
        problem("E14.90", "http://hl7.org/fhir/sid/icd-10"), accepted={"diabetes": (True,)}
    ),
    "a block for a code": _problems(problem("I50-I52"), accepted=HEART, readable="I50.9"),
    "code and words in one": _problems(problem("I50.9 Heart failure"), accepted=HEART, readable="I50.9"),
    "ICPC-2 of a general practice": _problems(
        problem("K77", "http://hl7.org/fhir/sid/icpc-2"), accepted=HEART, readable="I50.9"
    ),
    "ICD-11": _problems(problem("BD10", "http://id.who.int/icd/release/11/mms"), accepted=HEART, readable="I50.9"),
    "SNOMED with its term, as openEHR bridges write": _problems(
        problem("84114007 |Heart failure|", SNOMED), accepted=HEART, readable="I50.9"
    ),
    "SNOMED expression": _problems(problem("84114007:246112005=24484000", SNOMED), accepted=HEART, readable="I50.9"),
    "R69 for a problem without a code, as US systems export": _problems(
        problem("R69", text="Diabetes"), accepted=MAYBE
    ),
    "R69 beside a local code": _problems(
        problem(code=coded((ICD, "R69"), ("https://clinic.example/dx", "DM2"))), accepted=DIABETES
    ),
    "ICD-9-CM unspecified illness": _problems(problem("799.9", "http://hl7.org/fhir/sid/icd-9-cm"), accepted=MAYBE),
    "encounter diagnosis dated as in Germany": _problems(
        problem(**OLD | {"recordedDate": "12.03.2026"}), accepted=MAYBE
    ),
    "onset with a blank for the T": _problems(
        problem(**OLD | {"recordedDate": ..., "onsetDateTime": "2026-03-12 10:00"}), accepted=MAYBE
    ),
    "onset in words, no status": _problems(
        problem(**OLD | {"recordedDate": ..., "onsetString": "this spring"}), accepted=MAYBE
    ),
    "clinical status in SNOMED alone": _problems(
        problem(**OLD | {"clinicalStatus": clinical("55561003", SNOMED)}), accepted=MAYBE
    ),
    "clinical status of R5": _problems(problem(**OLD | {"clinicalStatus": clinical("unknown")}), accepted=MAYBE),
    "abatement that is no date": _problems(problem(clinicalStatus=..., abatementDateTime="ongoing"), accepted=DIABETES),
    "cancer in the past, ended in words": _problems(
        problem("C50.911", clinicalStatus=clinical("resolved"), recordedDate="2015-01-01", abatementString="last year"),
        accepted={"cancer": (True, UNKNOWN)},
        readable="C50.911",
    ),
    "cancer in the past, no date at all": _problems(
        problem("C50.911", clinicalStatus=clinical("resolved")),
        accepted={"cancer": (True, UNKNOWN)},
        readable="C50.911",
    ),
    "history of cancer from an age on": _problems(
        problem("Z85.3", onsetAge={"value": 71, "unit": "a"}), accepted={"cancer": (True, UNKNOWN)}, readable="C50.911"
    ),
    "history of cancer, month before year": _problems(
        problem("Z85.3", onsetDateTime="03/2026"), accepted={"cancer": (True, UNKNOWN)}, readable="C50.911"
    ),
    "a relative's disease by its category": _problems(
        problem("I50.9", category=[coded((f"{HL7}/condition-category", "family-history"))]),
        accepted={"heart_failure": (False, UNKNOWN)},
        readable="M54.50",
    ),
    "provisional": _problems(
        problem("I50.9", verificationStatus=clinical("provisional", f"{HL7}/condition-ver-status")),
        accepted={"heart_failure": (False,)},
        readable="M54.50",
    ),
    "IPS: none known, and a code of an illness": _problems(
        problem(code=coded((IPS, "no-known-problems"), (ICD, "E11.9"))), accepted={"diabetes": (True,)}
    ),
    "a null for the end": _problems(
        problem(abatementString=None, abatementAge=None, onsetRange=None), accepted={"diabetes": (True,)}
    ),
    "active and resolved": _problems(
        problem(clinicalStatus=coded(*((f"{HL7}/condition-clinical", one) for one in ("active", "resolved")))),
        accepted=MAYBE,
    ),
    "screening for what is there": _problems(problem(code=coded((ICD, "Z13.1"), (ICD, "E11.9"))), accepted=MAYBE),
    "over in words, without a status": _problems(
        problem(clinicalStatus=..., abatementString="last winter"), accepted=MAYBE
    ),
    "no end in words, without a status": _problems(
        problem(clinicalStatus=..., abatementString="entfällt"), accepted=MAYBE
    ),
    "over by a date among words": _problems(
        problem(clinicalStatus=..., abatementString="2019"), accepted={"diabetes": (False,)}, readable="M54.50"
    ),
    "one's own, and a relative's other disease in one": _problems(
        problem(code=coded((ICD, "E11.9"), (ICD, "Z80.3"))), accepted={"diabetes": (True,), "cancer": (False,)}
    ),
    "one's own and a relative's in one": _problems(problem(code=coded((ICD, "E11.9"), (ICD, "Z83.3"))), accepted=MAYBE),
    "IPS: none known, and a local code": _problems(
        problem(code=coded((IPS, "no-known-problems"), ("urn:x", "DM2"))), accepted=MAYBE
    ),
    "IPS: none known": _problems(
        problem("no-known-problems", IPS), accepted={"diabetes": (False,), "hfrs_points": (0.0,)}, readable="M54.50"
    ),
    "IPS: none known, in SNOMED CT": _problems(
        problem("160245001", SNOMED), accepted={"diabetes": (False,), "hfrs_points": (0.0,)}, readable="M54.50"
    ),
    "IPS: none known, in SNOMED CT, and a local code": _problems(
        problem(code=coded((SNOMED, "160245001"), ("urn:x", "DM2"))), accepted=MAYBE
    ),
    "old infarct of an encounter without status": _problems(
        problem("I25.2", **OLD), accepted={"ischaemic_heart_disease": (True,)}, readable="I25.2"
    ),
}


def _no(**accepted: Any) -> Json:
    return {name: one if isinstance(one, tuple) else (one,) for name, one in accepted.items()}


_SPINE, _DIALYSIS = {"procedures": bundle(a_procedure("22612"))}, {"procedures": bundle(a_procedure("90935"))}
_DATED = {"performedDateTime": ...}
DONE = {
    "OPS": (done("5-836.30", OPS), {"previous_spine_surgery": UNKNOWN}, _SPINE),
    "OPCS-4": (done("V38.2", "https://fhir.hl7.org.uk/Id/opcs-4"), {"previous_spine_surgery": UNKNOWN}, _SPINE),
    "CCAM": (
        done("LHFA016", "https://mos.esante.gouv.fr/NOS/TRE_R38-CCAM"),
        {"previous_spine_surgery": UNKNOWN},
        _SPINE,
    ),
    "NOMESCO": (done("NAG40", "urn:oid:1.2.208.176.2.4"), {"previous_spine_surgery": UNKNOWN}, _SPINE),
    "IPS: none known": (done("no-known-procedures", IPS), {"previous_spine_surgery": False}, {}),
    "IPS: none known, in SNOMED CT": (done("787480003", SNOMED), {"previous_spine_surgery": False}, {}),
    "status unknown": (done("22612", status="unknown"), {"previous_spine_surgery": UNKNOWN}, _SPINE),
    "stopped": (done("22612", status="stopped"), {"previous_spine_surgery": UNKNOWN}, _SPINE),
    "ended in the future by its period": (
        done("22612", performedDateTime=..., performedPeriod={"start": "2025-01-01", "end": days_ago(-300)}),
        {"previous_spine_surgery": True},
        _SPINE,
    ),
    "not done": (done("22612", status="not-done"), {"previous_spine_surgery": False}, {}),
    "IPS: none known, and a code of an operation": (
        done("", code=coded((IPS, "no-known-procedures"), (CPT, "22612"))),
        {"previous_spine_surgery": True},
        _SPINE,
    ),
    "IPS: none known, and a local code": (
        done("", code=coded((IPS, "no-known-procedures"), ("urn:x", "OP-7"))),
        {"previous_spine_surgery": UNKNOWN, "dialysis": UNKNOWN},
        _SPINE,
    ),
    "in a code of no list, under way": (
        done("ZZZ", "urn:oid:1.2", status="in-progress", performedDateTime=days_ago(0)),
        {"previous_spine_surgery": False, "dialysis": UNKNOWN},
        _DIALYSIS,
    ),
    "of no idea, under way": (
        done("0DTJ4ZZ", "http://www.cms.gov/Medicare/Coding/ICD10", status="in-progress"),
        {"previous_spine_surgery": False, "dialysis": False},
        {},
    ),
    "of no idea, status unknown": (
        done("0DTJ4ZZ", "http://www.cms.gov/Medicare/Coding/ICD10", status="unknown"),
        {"previous_spine_surgery": False, "dialysis": False},
        {},
    ),
    "dialysis under way": (
        done("90935", status="in-progress", performedDateTime=days_ago(90)),
        {"dialysis": UNKNOWN, "previous_spine_surgery": False},
        _DIALYSIS,
    ),
    "dialysis undated": (done("90935", **_DATED), {"dialysis": UNKNOWN}, _DIALYSIS),
    "dialysis dated as in Germany": (done("90935", performedDateTime="27.11.2026"), {"dialysis": UNKNOWN}, _DIALYSIS),
    "dialysis on days in words": (
        done("90935", performedString="Mo, Mi, Fr", **_DATED),
        {"dialysis": UNKNOWN},
        _DIALYSIS,
    ),
    "dialysis since 2024": (
        done("90935", performedPeriod={"start": "2024-01-01"}, **_DATED),
        {"dialysis": UNKNOWN},
        _DIALYSIS,
    ),
    "dialysis of the year": (done("90935", performedDateTime=days_ago(0)[:4]), {"dialysis": UNKNOWN}, _DIALYSIS),
    "dialysis long over": (
        done("90935", performedPeriod={"start": "2019-01-01", "end": "2019-06-01"}, **_DATED),
        {"dialysis": False},
        {},
    ),
}
LISTS: dict[str, Foreign] = {
    **{f"problem: {name}": one for name, one in PROBLEMS.items()},
    **{
        f"done: {name}": Foreign({"procedures": bundle(one)}, _no(**told), plain)
        for name, (one, told, plain) in DONE.items()
    },
}
