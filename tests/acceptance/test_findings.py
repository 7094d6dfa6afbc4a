"""Outcomes, imaging and genetics of the demo patients stand in the discrete result, and feed no score."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cds_service.demo import patients
from fhir_mappings.features.queries import prefetch_templates
from tests.acceptance.requests import a_request, an_order, bundle
from tests.builders import DEMO_MAPS

EXPECTED = {
    "demo-fusion": {
        "oswestry_index": (44, "Observation/demo-fusion-odi"),
        "pain_score": (7, "Observation/demo-fusion-pain"),
        "lumbar_stenosis_grade": ("severe", "DiagnosticReport/demo-fusion-report-1"),
        "spondylolisthesis": (True, "Condition/demo-fusion-dx-17"),
    },
    "demo-deformity": {
        "promis_physical_health": (34.9, "Observation/demo-deformity-promis"),
        "bone_density_t_score": (-2.7, "Observation/demo-deformity-dxa"),
        "vertebral_attenuation": (95, "Observation/demo-deformity-ct"),
        "lumbar_stenosis_grade": ("moderate", "DiagnosticReport/demo-deformity-report-1"),
        "genetic_finding": (True, "Observation/demo-deformity-gene"),
    },
}
KEY_OF = {"Condition": "conditions", "Observation": "observations", "MedicationRequest": "medications",
          "Procedure": "procedures", "DiagnosticReport": "reports"}  # fmt: skip


def sent(person: patients.DemoPatient) -> dict[str, Any]:
    """An order for this person with everything that there is of them as prefetch."""
    system, code = person.order
    order = an_order()
    order["code"] = {"coding": [{"system": system, "code": code}]}
    order["subject"] = {"reference": f"Patient/{person.id}"}
    keys: dict[str, list[dict[str, Any]]] = {key: [] for key in prefetch_templates(DEMO_MAPS) if key != "patient"}
    for resource in person.resources:
        if key := KEY_OF.get(resource["resourceType"]):
            keys[key].append(resource)
    person_ = next(one for one in person.resources if one["resourceType"] == "Patient")
    request = a_request(order, patient=person_, **{key: bundle(*those) for key, those in keys.items()})
    request["context"]["patientId"] = person.id
    return request


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_shown_stands_in_the_discrete_result_and_feeds_no_score(post: Any, name: str) -> None:
    person = next(one for one in patients.load(datetime.now(UTC)) if one.id == name)
    result = post(sent(person)).json["cards"][0]["extension"]["io.surgical-risk.assessment"]
    inputs = {one["name"]: one for one in result["inputs"]}
    assert {one: (inputs[one]["value"], inputs[one]["source"]) for one in EXPECTED[name]} == EXPECTED[name]
    assert all(inputs[one]["status"] == "used" and inputs[one]["time"] for one in EXPECTED[name])
    scored = {item["input"] for one in result["predictions"] for item in one.get("contributions", ())}
    assert scored
    assert not scored & set(EXPECTED[name])
