"""A scale's total, a text or an answer tells how dependent somebody is, as the site's map says; else nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_mappings.terminology import concept_maps
from fhir_mappings.terminology.code_systems import CONCEPT, TEXT
from tests.builders import a_quantity, an_observation, coded, derived

SITE = "urn:site"
ITEM = coded((SITE, "BARTHEL"))
MEANINGS = {
    (SITE, "BARTHEL"): "functional-status",
    (f"{SITE}/BARTHEL", "85"): "functional-status-partially-dependent",
    (f"{SITE}/BARTHEL", "100"): "functional-status-independent",
    (SITE, "NEEDS-HELP"): "functional-status-partially-dependent",
    (SITE, "BEDRIDDEN"): "functional-status-totally-dependent",
    (TEXT, "needs help"): "functional-status-partially-dependent",
}


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> concept_maps.ConceptMaps:
    path = tmp_path_factory.mktemp("maps") / "site.json"
    group = [
        {"source": system, "target": CONCEPT, "element": [
            {"code": code, "target": [{"code": meaning, "equivalence": "equivalent"}]}]}
        for (system, code), meaning in MEANINGS.items()
    ]  # fmt: skip
    members = {"name": "Site", "version": "1", "contact": [{"name": "Dr. Approver"}]}
    path.write_text(json.dumps({"resourceType": "ConceptMap", **members, "group": group}), encoding="utf-8")
    return concept_maps.load([path])


@pytest.mark.parametrize(
    ("members", "status", "value", "reason"),
    [
        ({"valueInteger": 85}, "used", "partially-dependent", None),
        ({"valueQuantity": a_quantity(100, "{score}")}, "used", "independent", None),
        ({"valueQuantity": a_quantity(85, "{score}", comparator="<")}, "rejected", None, "answer-unknown"),
        ({"valueQuantity": a_quantity(84.5, "{score}")}, "rejected", None, "answer-unknown"),
        ({"valueInteger": 40}, "rejected", None, "answer-unknown"),
        ({"valueString": "needs help"}, "used", "partially-dependent", None),
        ({"valueString": "walks to the shop"}, "rejected", None, "answer-unknown"),
        ({"valueCodeableConcept": coded((SITE, "NEEDS-HELP"))}, "used", "partially-dependent", None),
        ({"valueCodeableConcept": coded((SITE, "NEEDS-HELP"), (SITE, "BEDRIDDEN"))},
         "conflicting", None, "two-concepts"),
    ],
)  # fmt: skip
def test_a_scale_is_read_as_the_site_approved_it(
    maps: concept_maps.ConceptMaps, members: dict[str, Any], status: str, value: str | None, reason: str | None
) -> None:
    found = derived(an_observation(ITEM, **{"valueQuantity": None, **members}), maps=maps)["functional_status"]
    assert (found.status, found.value) == (status, value)
    assert reason is None or found.reason == reason
