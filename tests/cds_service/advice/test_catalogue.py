"""The catalogue is data that cannot be wrong in silence: strict, dated, sourced, and free of directions."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.advice import catalogue
from cds_service.advice.catalogue import DIRECTORY, CatalogueError, Row, parts, source_attributes
from cds_service.advice.choice import CATALOGUE
from fhir_mappings.features.existing_tests import DIAGNOSES, MEDICINES, PERFORMED_DAYS, TESTS_DAYS
from tests.cds_service.advice.banned import NEVER_SAID, banned_words

ROWS = [pytest.param(row, id=row.id) for row in CATALOGUE.rows]

# the only rows that may fire because something is missing. Of NT-proBNP and the type and screen the trigger is
# another; that a search found none is what makes them not superfluous.
NOT_DONE_ROWS = {
    "hba1c", "ferritin", "transferrin-saturation", "full-blood-count", "albumin", "nt-probnp", "ecg",
    "functional-capacity", "dxa", "vitamin-d", "frailty-screen", "basic-metabolic-panel", "type-and-screen",
}  # fmt: skip


def a_row(**members: Any) -> dict[str, Any]:
    return {
        "id": "a-row",
        "number": 1,
        "kind": "test",
        "trigger": {"feature": "diabetes", "is": True},
        "consider": "a test",
        "lead_days": 1,
        "grade": "consensus",
        "evidence": "a source",
        "citation": "a source",
        "source_date": "2024",
    } | members


def load(folder: Path, *rows: dict[str, Any], **members: Any) -> catalogue.Catalogue:
    theme = {
        "theme": "t", "developer": "d", "funding": "f", "owner": "o", "reviewer": "r",
        "released": datetime.date(2026, 1, 1), "reviewed": datetime.date(2026, 1, 1), "rows": list(rows),
    } | members  # fmt: skip
    (folder / "t.yaml").write_text(yaml.safe_dump(theme))
    return catalogue.load(folder)


def test_a_good_row_is_read(tmp_path: Path) -> None:
    assert load(tmp_path, a_row()).rows[0].id == "a-row"


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({"colour": "red"}, "colour"),
        ({"kind": "treatment"}, "treatment"),
        ({"grade": "excellent"}, "excellent"),
        ({"lead_days": "soon"}, "lead_days"),
        ({"orders": ["unicorn"]}, "unicorn"),
        ({"unless_requested": ["unicorn"]}, "unicorn"),
        ({"trigger": {"feature": "race", "is": "x"}}, "race"),
        ({"trigger": {"feature": "diabetes", "below": 3}}, "diabetes is a yes-no"),
        ({"trigger": {"feature": "haemoglobin", "below": 13, "not_done": True}}, "say one of"),
        ({"trigger": {"feature": "smoking_status", "is": "sometimes"}}, "never sometimes"),
        ({"trigger": {"feature": "diabetes", "is": True, "operation": "spine"}}, "names 2 facts"),
        ({"trigger": {"result": "lactate", "below": 2}}, "no feature lactate"),
        ({"trigger": {"result": "ferritin", "is": True}}, "ferritin is a number"),
        ({"trigger": {"feature": "haemoglobin", "older_than_days": 30, "known": True}}, "say one of"),
        ({"cautions": [{"when": {"feature": "luck", "is": True}, "say": "x"}]}, "luck"),
        ({"trigger": {}}, "names 0 facts"),
        ({"trigger": {"warned": True, "band": "well-above-typical"}}, "names 2 facts"),
        ({"acts": True, "kind": "test", "because": "x", "trigger": {"warned": True}}, "stands first"),
        ({"opens": True, "acts": True, "kind": "plan", "because": "x", "trigger": {"warned": True}}, "opens a card"),
        ({"threat": "luck"}, "luck"),
        ({"elsewhere": {"grade": "consensus"}}, "elsewhere"),
        ({"trigger": {"operation": "spine"}}, "names no reason"),
        ({"trigger": {"operation": "sports"}}, "sports"),
        ({"trigger": {"feature": "age", "at_least": 65}}, "age"),
        ({"opens": True, "grade": "insufficient"}, "opens a card"),
        ({"opens": True, "grade": "local"}, "opens a card"),
        ({"opens": True, "opt_in": True}, "opens a card"),
        ({"opens": True, "trigger": {"feature": "haemoglobin", "not_done": True}}, "opens a card"),
        ({"opens": True, "trigger": {"all": [{"result_not_done": "ferritin"}]}}, "opens a card"),
        ({"demographics": {"sex": "used"}}, "sex"),
        ({"demographics": {"wealth": "used"}}, "wealth"),
    ],
)
def test_a_row_that_cannot_be_right_stops_the_start(tmp_path: Path, members: dict[str, Any], complaint: str) -> None:
    with pytest.raises(CatalogueError, match=complaint):
        load(tmp_path, a_row(**members))


def test_an_id_is_used_once(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="a-row: the id is used twice"):
        load(tmp_path, a_row(), a_row())


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("[")
    with pytest.raises(CatalogueError, match=r"broken\.yaml"):
        catalogue.load(tmp_path)


def test_no_row_has_gone_a_year_without_review() -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    assert [theme.theme for theme in CATALOGUE.themes if theme.next_review < today] == []


def test_every_file_is_loaded() -> None:
    assert len(CATALOGUE.themes) == len(list(DIRECTORY.glob("*.yaml"))) == 9


@pytest.mark.parametrize("row", ROWS)
def test_only_the_rows_named_for_it_fire_on_what_is_missing(row: Row) -> None:
    fires = any(part.not_done or part.result_not_done for part in catalogue.parts(row.trigger))
    assert fires == (row.id in NOT_DONE_ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_DEC_39_the_short_list_of_what_opens_a_card(row: Row) -> None:
    """Catalogue rows 2, 6, 15 and 20, not 10, whose evidence is insufficient; no test, screen or missing value."""
    assert row.opens == (row.id in {"glucose-referral", "anaemia-clinic", "cardiology", "stent-timing"})
    assert not row.opens or row.kind not in ("test", "screen")


@pytest.mark.parametrize("row", ROWS)
def test_the_wording_gives_an_option_and_never_a_direction(row: Row) -> None:
    told = f"Consider {row.consider}. {row.because}. {row.evidence}. {[c.say for c in row.cautions]}"
    assert banned_words(told) == []


@pytest.mark.parametrize("row", ROWS)
def test_what_must_never_be_suggested_is_not(row: Row) -> None:
    assert not re.search(NEVER_SAID, f"{row.consider} {row.because} {row.evidence}", re.I)


# Never-suggest 10: nothing that a row rests on tells race, ethnicity, language or insurance.
@pytest.mark.parametrize("row", ROWS)
def test_a_row_rests_on_known_clinical_facts_only(row: Row) -> None:
    for part in (*parts(row.trigger), *(one for caution in row.cautions for one in parts(caution.when))):
        assert part.performed is None or part.performed in PERFORMED_DAYS
        assert part.result_done is None or part.result_done in TESTS_DAYS
        assert part.diagnosis is None or part.diagnosis in DIAGNOSES
        assert part.medicine is None or part.medicine in MEDICINES
        assert part.result_not_done is None or part.result_not_done in TESTS_DAYS
    for item in ("race", "ethnicity", "language", "sexual_orientation", "gender_identity", "social_determinants"):
        assert getattr(row.demographics, item) == "not used"


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_thirteen_source_attributes_and_none_is_empty(row: Row) -> None:
    (theme,) = [theme for theme in CATALOGUE.themes if row in theme.rows]
    attributes = source_attributes(theme, row)
    assert len(attributes) == 13
    assert all(attributes.values())


@pytest.mark.parametrize("row", ROWS)
def test_weak_evidence_is_never_a_recommendation(row: Row) -> None:
    if row.grade == "insufficient":
        assert re.search(r"certainty|proof|proven|not the will", row.evidence)
