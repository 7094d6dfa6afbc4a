"""Models whose coefficients rest on one public source answer only where an operator switched them on."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from tests.acceptance.requests import LOINC, a_functional_status, a_request, an_asa_class, bundle
from tests.acceptance.test_apfel import an_observation

CLASS_B = {"gupta-pneumonia", "gscri", "sort-morbidity"}
SMOKED_NEVER = {"valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA18978-9"}]}}


def answered(post: Any) -> tuple[str, dict[str, dict[str, Any]]]:
    """The detail of the card, and every prediction by its model."""
    observations = bundle(
        an_asa_class(), a_functional_status(), an_observation("smoking", (LOINC, "72166-2"), **SMOKED_NEVER)
    )
    card = post(a_request(observations=observations)).json["cards"][0]
    predictions = card["extension"]["io.surgical-risk.assessment"]["predictions"]
    return card["detail"], {one["model"]: one for one in predictions}


@pytest.fixture(scope="module")
def post_with_class_b(tmp_path_factory: pytest.TempPathFactory) -> Any:
    record = tmp_path_factory.mktemp("class-b") / "record.sqlite3"
    app = create_app(Settings(demo=True, class_b=True, database_url=f"sqlite:///{record}"))
    return lambda body: app.test_client().post("/cds-services/surgical-risk", json=body)


def test_switched_on_they_are_computed_and_pneumonia_is_told(post_with_class_b: Any) -> None:
    detail, predictions = answered(post_with_class_b)
    assert {predictions[name]["status"] for name in CLASS_B} == {"computed"}
    assert predictions["gupta-pneumonia"]["shown"] is True
    assert any(line.startswith("- Pneumonia: ") for line in detail.splitlines())
    # Two that have a better-trusted sibling for their outcome stand beside it, untold (DEC-36).
    assert [predictions[name].get("shown") for name in ("gupta-mica", "gscri")] == [True, None]
    assert [predictions[name].get("shown") for name in ("elective-complication", "sort-morbidity")] == [True, None]


def test_they_change_no_other_number(post: Any, post_with_class_b: Any) -> None:
    _, with_them = answered(post_with_class_b)
    _, without = answered(post)
    assert set(with_them) - set(without) == CLASS_B
    assert {name: one.get("probability", one.get("points")) for name, one in without.items()} == {
        name: with_them[name].get("probability", with_them[name].get("points")) for name in without
    }


def test_switched_off_the_card_is_silent_about_them(post: Any) -> None:
    detail, _ = answered(post)
    assert "Pneumonia" not in detail
    assert not any(name in detail for name in CLASS_B)
