"""The detail keeps what matters and leaves out whole paragraphs, never half of one."""

from __future__ import annotations

import msgspec
import pytest

from cds_service.advice.options import Option
from cds_service.cards import detail
from cds_service.cards.dialects import DIALECTS
from fhir_mappings.features import features
from fhir_mappings.fhir.search_result import SearchResult
from tests import builders
from tests.acceptance.golden_people import PEOPLE
from tests.builders import a_patient, an_observation
from tests.cds_service.advice import people

LIMITS = sorted({dialect.detail_limit for dialect in DIALECTS.values()})
TALK = Option(id="talk", consider="a talk", reason="the risk is well above typical")


def paragraphs(*resources: builders.Resource, limit: int = 1200, options: tuple[Option, ...] = ()) -> list[str]:
    return detail.write(people.an_assessment(*resources), options, limit=limit).split("\n\n")


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("name", PEOPLE)
def test_every_panel_gets_whole_paragraphs_and_the_limits_last(name: str, limit: int) -> None:
    record = builders.a_record(*PEOPLE[name].resources, **PEOPLE[name].searches)
    told = detail.write(people.assessed(record), [TALK], limit=limit)
    assert len(told) <= limit
    assert all(part.endswith((".", ":**")) or part.startswith("- ") for part in told.split("\n\n"))
    assert told.split("\n\n")[-1].startswith("For clinicians. ")


def test_the_headline_comes_first() -> None:
    assessment = people.an_assessment(people.asa(3))
    assert assessment.headline is not None
    heading, figures, *_ = paragraphs(people.asa(3))
    assert heading == "**Of 1,000 such patients, in 30 days:**"
    assert figures.startswith(f"- {assessment.headline.outcome.on_card}: ")


def test_a_narrow_panel_keeps_every_figure_what_is_missing_and_the_limits() -> None:
    wide, narrow = paragraphs(people.asa(3)), paragraphs(people.asa(3), limit=400)
    for beginning in ("- ", "**Missing:**", "For clinicians"):
        assert any(part.startswith(beginning) for part in narrow)
    figures = [[part.count("\n") for part in parts if part.startswith("- ")] for parts in (wide, narrow)]
    assert figures[0] == figures[1]
    assert len("".join(narrow)) < len("".join(wide))


@pytest.mark.parametrize(("behind_link", "where"), [(True, "in the risk profile"), (False, "not shown here")])
def test_more_options_than_the_card_offers_are_counted(behind_link: bool, where: str) -> None:
    told = detail.write(people.an_assessment(people.asa(3)), [TALK], limit=1200, more=4, behind_link=behind_link)
    assert f"**More options:** 4, {where}." in told.split("\n\n")


def test_in_a_narrow_panel_no_risk_stands_alone() -> None:
    """R-A05: several outcomes, each with its horizon."""
    people_known = (people.asa(3), people.function("INDEPENDENT"), an_observation())
    heading, figures, *rest = detail.write(people.an_assessment(*people_known), [TALK], limit=700).split("\n\n")
    assert heading.endswith(", in 30 days:**")
    told = [line.partition(":")[0] for line in figures.splitlines()]
    assert sorted(told) == [
        "- Any complication in hospital",
        "- Death",
        "- Heart attack or arrest",
        "- Respiratory failure",
    ]
    assert any(part.startswith("Consider a talk") for part in rest)


def test_the_fewer_words_the_fewer_reasons_and_nothing_that_is_missing_is_hidden() -> None:
    assessment = people.an_assessment(people.asa(3), people.result("718-7", 9.4, "g/dL"))
    known = "haemoglobin 9.4 g/dL (10 Nov)"
    for most, named in ((75, known), (60, known), (54, "haemoglobin 9.4 g/dL"), (45, "1 finding")):
        told = detail.write(assessment, limit=1200, most_words=most)
        assert "**Missing:**" in told
        assert f"**Known, in no figure above:** {named}." in told
    assert "**Why:**" not in told


def test_an_option_for_which_there_is_no_room_is_counted_too() -> None:
    many = [msgspec.structs.replace(TALK, consider=f"talk number {number} about it") for number in range(9)]
    for limit in (650, 750, 1200):
        parts = detail.write(people.an_assessment(people.asa(3)), many, limit=limit, more=2).split("\n\n")
        told = sum(part.startswith("Consider") for part in parts)
        assert f"**More options:** {9 - told + 2}, not shown here." in parts
        assert len("\n\n".join(parts)) <= limit


def test_where_all_options_are_told_there_is_no_more() -> None:
    assert not any(part.startswith("**More") for part in paragraphs(people.asa(3), options=(TALK,)))


def test_what_is_missing_is_named_with_its_reason() -> None:
    (missing,) = [part for part in paragraphs(people.asa(3)) if part.startswith("**Missing:**")]
    assert "creatinine (none found)" in missing


def test_at_most_four_missing_inputs_are_named_and_the_rest_counted() -> None:
    nothing = SearchResult(failure="fetch-failed", supplied="fetched")
    searches = dict.fromkeys(("conditions", "labs", "observations", "medications", "procedures"), nothing)
    record = builders.a_record(**searches)
    found = detail.write(people.assessed(record), limit=1200)
    (missing,) = [part for part in found.split("\n\n") if part.startswith("**Missing:**")]
    assert missing.count("(") <= 5
    assert " more" in missing


def test_a_stale_result_is_told_as_too_old_and_not_used() -> None:
    told = paragraphs(people.asa(3), people.result("2160-0", 1.0, "mg/dL", days=300))
    assert any("creatinine (24 Jan 2026, older than 90 days)" in part for part in told)
    assert not any("creatinine 1 mg/dL" in part for part in told)


def test_what_was_searched_for_and_not_found_is_not_on_the_card() -> None:
    told = detail.write(people.an_assessment(people.asa(3), an_observation()), limit=3000)
    assert "None recorded" not in told
    assert "cancer" not in told


def test_an_assumed_unit_is_marked() -> None:
    told = detail.write(people.an_assessment(people.asa(3), an_observation("718-7", 10.4, None)), limit=3000)
    assert "haemoglobin 10.4 g/dL (10 Nov) [unit assumed]" in told


def test_pregnancy_is_told_as_not_checked_only_where_it_is_a_question() -> None:
    failed = SearchResult(failure="fetch-failed", supplied="fetched")
    for patient, told in (
        (a_patient(gender="female", birthDate="1990-01-01"), True),
        (a_patient(gender="female", birthDate="1950-01-01"), False),
        (a_patient(gender="male", birthDate="1990-01-01"), False),
    ):
        record = builders.a_record(patient, people.asa(2), conditions=failed)
        found = detail.write(people.assessed(record), limit=1200)
        assert ("pregnancy (not checked)" in found) == told


def test_without_a_headline_the_detail_says_what_is_lacking() -> None:
    assessment = people.an_assessment(people.asa(3))
    lacking = tuple(
        msgspec.structs.replace(
            told, score=msgspec.structs.replace(told.score, status="not-computable", needs=("age",))
        )
        for told in assessment.estimates
        if told.outcome.may_head
    )
    told = detail.write(msgspec.structs.replace(assessment, headline=None, estimates=lacking), limit=1200)
    assert "**No figure:**" in told
    assert features.FEATURES["age"].label in told
