"""FEATURES is the contract, derive keeps it, and every reason has words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fhir_mappings.features import queries, reasons
from fhir_mappings.features.features import FEATURES
from fhir_mappings.results.feature import Feature
from fhir_mappings.terminology.concept_maps import EMPTY
from fhir_mappings.terminology.procedure_groups import GROUPS
from tests.builders import DEMO_MAPS, derived

NAMES = (
    "age sex height weight bmi asa_class functional_status creatinine egfr haemoglobin albumin platelets inr sodium "
    "glucose hba1c spo2 smoking_status diabetes insulin heart_failure ischaemic_heart_disease cerebrovascular_disease "
    "copd hypertension_on_medication dialysis chronic_kidney_disease cancer metastatic_cancer dementia anticoagulant "
    "antiplatelet steroid opioid previous_spine_surgery sepsis urgency procedure_group"
)


def test_the_names_are_those_of_the_interface_in_its_order() -> None:
    assert " ".join(FEATURES).startswith(NAMES)


def test_every_feature_is_derived_in_that_order() -> None:
    found = derived()
    assert list(found) == list(FEATURES)
    assert all(name == feature.name for name, feature in found.items())


def test_the_categories_of_the_operation_are_the_groups_in_file_order() -> None:
    assert FEATURES["procedure_group"].categories == tuple(GROUPS)


def test_whatever_is_usable_has_the_kind_that_it_promises() -> None:
    for name, feature in derived().items():
        definition = FEATURES[name]
        kind = {"number": float, "yes-no": bool, "category": str}[definition.kind]
        assert feature.model_value is None or isinstance(feature.model_value, kind)
        assert not definition.categories or feature.value is None or feature.value in definition.categories


@pytest.mark.parametrize("reason", sorted(reasons.WORDS))
def test_a_reason_has_words_without_jargon(reason: str) -> None:
    assert re.fullmatch(r"[a-z ]+", reasons.words(reason))


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        (Feature(name="creatinine", status="stale", reason="stale"), "result older than 90 days"),
        (
            Feature(name="creatinine", status="stale", reason="stale", time=datetime(2025, 6, 3, 23, tzinfo=UTC)),
            "result of 3 Jun 2025, older than 90 days",
        ),
        (Feature(name="height", status="stale", reason="stale"), "result older than 5 years"),
        (Feature(name="smoking_status", status="stale", reason="stale"), "result older than 1 year"),
        (Feature(name="creatinine", status="rejected", reason="unit-unknown"), "unit not recognised"),
        (Feature(name="creatinine", status="used"), ""),
        ("declined", "declined by the patient"),
        ("something new", "not usable"),
    ],
)
def test_why_in_words(feature: Feature | str, words: str) -> None:
    assert reasons.words(feature) == words


def test_every_reason_in_the_package_has_words() -> None:
    """Every machine word that a Feature, a Reading or a Coverage is given in the code of this package."""
    text = "".join(path.read_text(encoding="utf-8") for path in Path(reasons.__file__).parents[1].rglob("*.py"))
    given = set(re.findall(r'(?:rejected\(|reason=|Reading\("missing", reason=)"([a-z-]+)"', text))
    assert given - set(reasons.WORDS) == set()


GRAMMAR = re.compile(
    r"(Patient/\{\{context\.patientId\}\}|[A-Z][A-Za-z]+\?patient=\{\{context\.patientId\}\}"
    r"(&(code|category|status)=[^&=:]+(:\d+)?[^&]*|&_id=\{\{context\.encounterId\}\}|&_sort=-[a-z-]+|&_count=\d+)+)\Z"
)


@pytest.mark.parametrize("maps", [EMPTY, DEMO_MAPS], ids=["no map", "demonstration map"])
def test_prefetch_templates_stay_inside_the_restricted_subset(maps: object) -> None:
    templates = queries.prefetch_templates(maps)  # type: ignore[arg-type]
    keys = ["patient", "conditions", "labs", "observations", "medications", "procedures", "encounter", "orders"]
    assert list(templates) == [*keys, *(["reports"] if maps else [])]
    for template in templates.values():
        assert GRAMMAR.match(template), template
        assert "sort:" not in template
        assert set(re.findall(r"\{\{(.*?)\}\}", template)) <= {"context.patientId", "context.encounterId"}
    assert all("_count=" in template for key, template in templates.items() if key != "patient")


def test_reports_are_asked_for_by_sites_that_say_what_their_conclusions_mean() -> None:
    assert "reports" not in queries.prefetch_templates(EMPTY)
    asked = queries.prefetch_templates(DEMO_MAPS)["reports"]
    assert asked.startswith("DiagnosticReport?patient={{context.patientId}}&category=http://terminology.hl7.org/")


def test_at_most_eight_keys_are_listed() -> None:
    nine, eight = queries.prefetch_templates(DEMO_MAPS), queries.prefetch_templates(EMPTY)
    assert list(queries.listed(nine, left_to_a_fetch="orders")) == [key for key in nine if key != "orders"]
    assert queries.listed(eight, left_to_a_fetch="orders") == eight


def test_the_sites_own_codes_are_asked_for() -> None:
    assert "|FUNC" in queries.prefetch_templates(DEMO_MAPS)["observations"]
    assert "|FUNC" not in queries.prefetch_templates(EMPTY)["observations"]
