"""What was seen during an operation as FHIR Observations: one for each exposure, one for the Surgical Apgar Score.

Preliminary, with the service as device and a Provenance contained. What could not be told is not written: an
Observation of nothing would be a claim.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from fhir_mappings.during.apgar_inputs import LOSS, MEAN, RATE, ApgarComponent
from fhir_mappings.during.course import CaseTimes
from fhir_mappings.during.exposures import Exposure
from fhir_mappings.during.limits import EVIDENCE
from fhir_mappings.during.signal_rules import RULES
from fhir_mappings.terminology.code_systems import UCUM
from fhir_mappings.writing.risk_assessment import AI_ASSERTED

DURING = "https://surgical-risk.io/fhir/CodeSystem/during"
APGAR = "surgical-apgar"
_AUTHOR = {"system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "author"}
# UCUM multiplies no unit that has an offset: a difference of 1 Cel is 1 K. https://ucum.org/ucum, section 22
_AREA_UNITS = {"Cel": "K.min"}
# https://hl7.org/fhir/R4/valueset-data-absent-reason.html
_UNKNOWN = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unknown"}]}
_APGAR_UNITS = {LOSS: "mL", MEAN: "mm[Hg]", RATE: "/min"}
_APGAR_WORDS = {LOSS: "blood loss", MEAN: "lowest mean arterial pressure", RATE: "lowest heart rate"}


class CaseTold(msgspec.Struct, frozen=True, kw_only=True):
    """What the Observations tell: the case, its exposures, and the points of the score with their components.

    `points` is None where there is no score. `recorded`: when it was summed up, aware. `missing`: what may be
    missing of the case, in words; it stands in each Observation.
    """

    patient_id: str
    case: CaseTimes
    recorded: datetime
    exposures: tuple[Exposure, ...] = ()
    points: int | None = None
    components: tuple[ApgarComponent, ...] = ()
    version: str = ""
    encounter_id: str | None = None
    missing: tuple[str, ...] = ()


def case_observations(told: CaseTold) -> list[dict[str, Any]]:
    """The Observations of a closed case; none of one that has not ended. Raises ValueError if one is no Observation."""
    if not told.case.ended or told.case.start is None or told.case.end is None:
        return []
    found = [_observation(told, one.limit.name, _of_exposure(one)) for one in told.exposures if one.minutes is not None]
    if told.points is not None:
        found.append(_observation(told, APGAR, _of_score(told, told.points)))
    return [_built(one) for one in found]


def _built(content: dict[str, Any]) -> dict[str, Any]:
    # Imported where the first resource is written: the library takes 0.2 s that no answer should wait for.
    from fhir.resources.R4B.observation import Observation  # noqa: PLC0415

    built = Observation.model_validate({name: value for name, value in content.items() if value is not None})
    return msgspec.json.decode(built.model_dump_json(), type=dict[str, Any])


def _observation(told: CaseTold, code: str, members: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "meta": {"security": [AI_ASSERTED]},
        "contained": [_device(told), _provenance(told)],
        "status": "preliminary",
        "subject": {"reference": f"Patient/{told.patient_id}"},
        "encounter": {"reference": f"Encounter/{told.encounter_id}"} if told.encounter_id else None,
        "effectivePeriod": {"start": _written(told.case.start or 0.0), "end": _written(told.case.end or 0.0)},
        "issued": told.recorded.isoformat(),
        "device": {"reference": "#device"},
        **members,
        "note": [*members.get("note", ()), *({"text": words} for words in told.missing)] or None,
        "code": {"coding": [{"system": DURING, "code": code}], **members["code"]},
    }


def _of_exposure(one: Exposure) -> dict[str, Any]:
    unit = RULES[one.limit.signal].number.unit
    parts = (
        ("minutes", one.minutes, "min"),
        ("area", one.area, _AREA_UNITS.get(unit, f"{unit}.min")),
        ("time-weighted-average", one.average, unit),
        ("longest-episode", _longest_minutes(one), "min"),
        ("limit", one.at, unit),
        ("minutes-seen", one.seen, "min"),
        ("minutes-unseen", one.unseen, "min"),
    )
    return {
        "code": {"text": f"Time with {one.limit.words}"},
        "component": [_component(name, _told(value, unit)) for name, value, unit in parts],
        "note": [{"text": f"{EVIDENCE} Limit: {one.limit.source}."}],
    }


def _of_score(told: CaseTold, points: int) -> dict[str, Any]:
    return {
        "code": {"text": "Surgical Apgar Score (Gawande 2007)"},
        "valueInteger": points,
        "component": [
            {**_component(one.name, _value_of(one)), "code": _code(one.name, _APGAR_WORDS[one.name])}
            for one in told.components
        ],
    }


def _value_of(one: ApgarComponent) -> dict[str, Any]:
    """The number, or the recorded event in whose place it stands, or why there is no single one."""
    if one.event:
        return {"valueString": f"recorded {one.event}"}
    unit = _APGAR_UNITS[one.name]
    if one.possible is not None:
        low, high = one.possible
        return {"valueRange": {"low": _quantity(low, unit), "high": _quantity(high, unit)}}
    return _told(one.value, unit)


def _component(name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"code": _code(name, name.replace("-", " ")), **value}


def _code(name: str, words: str) -> dict[str, Any]:
    return {"coding": [{"system": DURING, "code": name.replace("_", "-")}], "text": words}


def _longest_minutes(one: Exposure) -> float | None:
    """0 where there was no episode; None where nothing could be told."""
    if one.minutes is None:
        return None
    return one.longest.seconds / 60 if one.longest else 0.0


def _told(value: float | None, unit: str) -> dict[str, Any]:
    """The quantity, or that there is none: what is absent is never written as 0."""
    return {"dataAbsentReason": _UNKNOWN} if value is None else {"valueQuantity": _quantity(value, unit)}


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": round(value, 2), "unit": unit, "system": UCUM, "code": unit}


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _device(told: CaseTold) -> dict[str, Any]:
    return {
        "resourceType": "Device",
        "id": "device",
        "deviceName": [{"name": "Surgical risk service", "type": "user-friendly-name"}],
        "version": [{"value": told.version}] if told.version else [{"value": "unknown"}],
    }


def _provenance(told: CaseTold) -> dict[str, Any]:
    """Contained, and about the Observation that contains it, as with the RiskAssessment (R-C07)."""
    return {
        "resourceType": "Provenance",
        "id": "provenance",
        "target": [{"reference": "#"}],
        "recorded": told.recorded.isoformat(),
        "reason": [{"coding": [AI_ASSERTED]}],
        "agent": [{"type": {"coding": [_AUTHOR]}, "who": {"reference": "#device"}}],
    }
