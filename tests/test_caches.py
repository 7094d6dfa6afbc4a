"""What a process remembers is bounded, by entries and by length: no words stay, no request fills the memory."""

from __future__ import annotations

import ast
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from fhir_mappings.terminology import code_systems, remembering
from tests.acceptance.requests import a_request
from tests.test_architecture import ROOT, SOURCES

# Every cache of the packages, and what its keys are. A key that is foreign text belongs in `remembering.remembered`,
# or its length is looked at where it is asked (elements.concept, understanding.why_not_understood).
OF_OUR_OWN = {
    "cds_service/advice/options.py:_tests": "catalogue and attributes of the operation, from our files",
    "cds_service/cards/suggestions.py:suggestion_uuid": "uuids of ours and ids of rows",
    "cds_service/demo/patients.py:_files": "nothing",
    "cds_service/demo/replayed_case.py:_entries": "names of the demonstration's cases",
    "cds_service/monitoring/ewma.py:limit": "figures of our own file and counts of weeks",
    "cds_service/monitoring/ewma.py:smallest_shift": "figures of our own file and counts of weeks",
    "cds_service/monitoring/input_drift.py:_limit": "counts of classes and of people",
    "cds_service/monitoring/input_drift.py:_mean": "counts of classes and of people",
    "cds_service/monitoring/input_drift.py:_null": "counts of classes and of people",
    "cds_service/monitoring/monitors.py:monitors": "nothing",
    "cds_service/monitoring/risk_cusum.py:delay": "risks in classes, and figures of our own file",
    "cds_service/monitoring/risk_cusum.py:limit": "risks in classes, and figures of our own file",
    "cds_service/operations/logs.py:_bound": "nothing",
    "cds_service/operations/metrics.py:step": "our own steps",
    "cds_service/operations/traces.py:route_of": "our own URL rules",
    "cds_service/pages/evaluations.py:_read": "paths of the model folder",
    "cds_service/pages/evaluations.py:_whole": "paths of the model folder",
    "fhir_mappings/terminology/concept_maps.py:self.means_something": "ids of value sets",
    "fhir_mappings/terminology/concept_maps.py:vocabulary": "tenants' value sets and maps",
    "fhir_mappings/fhir/coverage.py:together": "flags and counts",
    "fhir_mappings/outcomes/code_meaning.py:_listed": "our own definitions of outcomes",
    "fhir_mappings/patient/diagnosis_features.py:no": "our names, flags and counts",
    "fhir_mappings/orders/draft_orders.py:_validated": "codes and texts of our catalogue or a tenant's file",
    "fhir_mappings/terminology/exclusions.py:pairs": "nothing",
    "fhir_mappings/results/measurements.py:_missing": "our names, units and reasons",
    "fhir_mappings/results/observations.py:_inputs_of": "tenants' vocabularies",
    "fhir_mappings/results/observations.py:_meanings": "tenants' vocabularies",
    "fhir_mappings/terminology/unit_factors.py:_registry": "nothing",
    "cds_service/replay/spark.py:_setting": "one run's own file names",
    "cds_service/replay/spark.py:_sieve": "one run's own file names",
    "cds_service/tenant_runtime.py:_verified": "the shipped value sets",
    "cds_service/tenant_runtime.py:_without_own": "paths of shipped maps, and the shipped value sets",
    "cds_service/tenant_runtime.py:_shared": "prefetch templates, from our table and tenants' files",
    "cds_service/patient_data/terminology_server.py:_snomed_counts": "tenants' value sets",
    "fhir_mappings/orders/operation_codes.py:known": "tenants' value sets and maps",
    "models_onnx/site_outcomes.py:site_outcomes": "nothing",
}
SHORT_ONLY = {
    "fhir_mappings/terminology/concept_maps.py:self._remembered": "systems and codes, up to _LONGEST characters",
    "fhir_mappings/patient/condition_codes.py:_of_one": "systems and codes, up to 200 characters together",
    "fhir_mappings/fhir/elements.py:_concept": "concepts as written, up to 512 bytes",
    "fhir_mappings/results/observations.py:remembered": "codes as written, up to _LONGEST_CODE bytes",
    "fhir_mappings/terminology/remembering.py:kept": "foreign texts, up to 256 characters",
    "fhir_mappings/terminology/unit_texts.py:_ucum": "texts of units, bounded by their reader `ucum`",
    "fhir_mappings/terminology/understanding.py:_remembered": "systems and codes, up to 200 characters together",
}


def caches() -> Iterator[str]:
    """`file:name` of every function that functools remembers the answers of."""
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and any(map(_is_cache, node.decorator_list)):
                yield f"{path.relative_to(ROOT)}:{node.name}"
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _is_cache(node.value.func):
                yield f"{path.relative_to(ROOT)}:{ast.unparse(node.targets[0])}"


def _is_cache(node: ast.expr) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    return ast.unparse(called).rpartition(".")[2] in ("cache", "lru_cache")


def test_every_cache_says_what_its_keys_are() -> None:
    assert sorted(caches()) == sorted(OF_OUR_OWN | SHORT_ONLY)


def test_a_long_text_means_the_same_and_is_not_kept() -> None:
    read: Any = code_systems.canonical
    text = "x" * (remembering.LONGEST + 1)
    assert read(text) == read.__wrapped__(text)
    assert read("y") == read.__wrapped__("y")


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.fixture
def http(tmp_path: Path) -> FlaskClient:
    settings = Settings(
        demo=True, database_url=f"sqlite:///{tmp_path}/record.sqlite3", state_directory=tmp_path / "state"
    )
    return create_app(settings).test_client()


LONG = 20_000
_NUMBERS = itertools.count()


def distinct() -> str:
    return f"{next(_NUMBERS):08}" + "w" * LONG


def wordy(patient: dict[str, Any]) -> dict[str, Any]:
    """A request with a megabyte of texts that nobody wrote before, wherever a text may stand."""
    subject = {"reference": f"Patient/{patient['id']}"}

    def concept() -> dict[str, Any]:
        return {"coding": [{"system": distinct(), "code": distinct(), "display": distinct()}], "text": distinct()}

    def listed(*resources: dict[str, Any]) -> dict[str, Any]:
        entries = [{"resource": {"subject": subject, **resource}} for resource in resources]
        return {"resourceType": "Bundle", "type": "searchset", "entry": entries}

    quantity = {"value": 1, "unit": distinct(), "system": distinct(), "code": distinct()}
    loinc = {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}
    observation = {"resourceType": "Observation", "status": "final", "effectiveDateTime": "2026-01-01T00:00:00Z"}
    request = a_request()
    request["prefetch"] |= {
        "labs": listed(
            observation | {"code": concept(), "valueQuantity": quantity},
            observation | {"code": loinc, "valueQuantity": {"value": 12, "unit": distinct(), "code": distinct()}},
            observation | {"code": loinc, "valueString": distinct()},
        ),
        "observations": listed(observation | {"code": concept(), "valueCodeableConcept": concept()}),
        "conditions": listed({"resourceType": "Condition", "code": concept(), "clinicalStatus": concept()}),
        "medications": listed(
            {"resourceType": "MedicationRequest", "status": "active", "medicationCodeableConcept": concept()}
        ),
    }
    request["userAgent"] = distinct()
    request["fhirServer"] = f"https://ehr.example.org/{distinct()}"
    return request


def test_a_hundred_and_fifty_requests_of_foreign_words_leave_nothing_behind(http: FlaskClient) -> None:
    """143 MiB became 2,467 MiB when systems, codes and units of any length were remembered."""

    def post() -> None:
        body = wordy(a_request()["prefetch"]["patient"])
        assert (
            http.post("/cds-services/surgical-risk", data=json.dumps(body), content_type="application/json").status_code
            < 500
        )

    for _ in range(20):
        post()
    before = resident_mib()
    for _ in range(150):
        post()
    assert resident_mib() - before < 30
