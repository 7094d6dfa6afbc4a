"""Whole requests as foreign systems make them: nothing that was not understood is told as absent, low or never done.

More than a hundred, of many kinds, each held against the same person told in codes that are read.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.acceptance import foreign_results
from tests.acceptance.conftest import Post
from tests.acceptance.foreign_envelopes import FOREIGN_ENVELOPES
from tests.acceptance.foreign_lists import LISTS, UNKNOWN, Foreign
from tests.acceptance.foreign_medicines import FOREIGN_MEDICINES
from tests.acceptance.foreign_results import ELSEWHERE, HIGH, ORDERS, PEOPLE, RESULTS
from tests.acceptance.foreign_standing import STANDINGS
from tests.acceptance.requests import LOINC, a_functional_status, a_request, a_result, an_asa_class, an_order, bundle
from tests.acceptance.test_not_understood import EXTENSION, answered, counts, figures, status

Json = dict[str, Any]
ABSENT = (False, "none", 0)
CASES = LISTS | FOREIGN_ENVELOPES | FOREIGN_MEDICINES | STANDINGS | ELSEWHERE
SILENCE = "io.surgical-risk.silence"


def whole(**sent: Any) -> Json:
    """Mr. B with every number that a model asks, and these keys in place of the plain ones."""
    keys: Json = {
        "observations": bundle(an_asa_class(), a_functional_status(), a_result("39156-5", 27.1, "kg/m2")),
        "labs": bundle(a_result("2160-0", 1.1, "mg/dL")),
    }
    return a_request(**keys | sent)


def highest(result: Json) -> dict[str, float]:
    """By model the highest figure that is told; infinite where a model says that it cannot tell any."""
    told = {name: high for name, (_, high) in figures(result).items()}
    for one in result["predictions"]:
        if ends := one.get("pointsRange") or one.get("missingRange"):
            told[one["model"]] = max(told.get(one["model"], ends["high"]), ends["high"])
        elif one["status"] == "not-computable":
            told[one["model"]] = math.inf
    return told


def never_lower(foreign: Json, readable: Json) -> list[Any]:
    """Models whose figure for the foreign record cannot be as high as that for the readable one."""
    now = highest(foreign)
    return [(model, high, now.get(model)) for model, (_, high) in figures(readable).items() if now[model] < high - 1e-9]


@pytest.mark.parametrize("case", [pytest.param(one, id=name) for name, one in CASES.items()])
def test_nothing_that_the_readable_record_has_is_told_as_absent(post: Post, case: Foreign) -> None:
    result, text = answered(post, whole(**case.sent))
    for name, accepted in case.accepted.items():
        told = status(result, name)
        assert (told["value"] if counts(told) else UNKNOWN) in accepted, told
    if case.readable:
        plain, _ = answered(post, whole(**case.readable))
        assert never_lower(result, plain) == []
    if any(UNKNOWN in accepted for accepted in case.accepted.values()):
        assert "none recorded" not in text.casefold()


@pytest.mark.parametrize(("sent", "expected"), [pytest.param(*one, id=name) for name, one in RESULTS.items()])
def test_a_creatinine_is_read_or_told_as_recorded(post: Post, sent: tuple[Json, ...], expected: object) -> None:
    result, text = answered(post, whole(labs=bundle(*sent)))
    told, rate = status(result, "creatinine"), status(result, "egfr")
    if not isinstance(expected, str):
        assert counts(told)
        assert told["value"] == pytest.approx(expected, rel=0.01)
        return
    if expected == "never-recorded":  # what was entered in error is no record
        assert told["reason"] == expected
        return
    assert (told["status"] in ("missing", "rejected"), told["reason"]) == (True, expected)
    assert not counts(rate)
    assert rate["reason"] != "never-recorded"
    assert "creatinine (none found)" not in text
    assert "no creatinine in" not in text
    plain, _ = answered(post, whole(**HIGH))
    assert never_lower(result, plain) == []


@pytest.mark.parametrize("wrong", ["siehe Befund", "4,4 mg/dl", "> 4 fach"])
def test_an_older_number_tells_that_a_newer_one_was_not_read(post: Post, wrong: str) -> None:
    newer = foreign_results.said(id="newer", valueString=wrong)
    result, _ = answered(post, whole(labs=bundle(a_result("2160-0", 1.1, "mg/dL", days=60, result_id="old"), newer)))
    told = status(result, "creatinine")
    assert (told["value"], "newer-unreadable" in told["flags"]) == (pytest.approx(1.1), True)


def test_an_asa_class_under_a_code_of_no_list_is_not_never_recorded(post: Post) -> None:
    (asa,) = foreign_results.ASA.values()
    result, text = answered(post, whole(observations=bundle(asa, a_functional_status())))
    assert status(result, "asa_class")["reason"] == "not-understood"
    assert "ASA class (none found)" not in text


def outcome(post: Post, body: Json) -> str:
    """The reason of a silence; else `gap` for a card that only says what is lacking, or `card`."""
    response = post(body)
    assert response.status_code == 200, response.get_data(as_text=True)
    if not response.json["cards"]:
        return str(response.json["extension"][SILENCE]["reason"])
    (card,) = response.json["cards"]
    return "card" if EXTENSION in card.get("extension", {}) else "gap"


@pytest.mark.parametrize(("patient", "expected"), [pytest.param(*one, id=name) for name, one in PEOPLE.items()])
def test_who_it_is_gives_a_card_or_a_reason(post: Post, patient: Json, expected: str) -> None:
    assert outcome(post, whole(patient=patient)) == expected


@pytest.mark.parametrize(("order", "expected"), [pytest.param(*one, id=name) for name, one in ORDERS.items()])
def test_an_order_that_is_not_understood_is_silent_with_a_reason(post: Post, order: Json, expected: str) -> None:
    assert outcome(post, a_request(order)) == expected


def test_an_order_beside_it_that_no_figure_knows_is_told(post: Post) -> None:
    """Of a second operation whose code is in no group the card says that it is in no figure."""
    unknown = an_order(("http://fhir.de/CodeSystem/bfarm/ops", "5-511.11"), order_id="gallbladder")
    _, alone = answered(post, whole())
    _, text = answered(post, a_request(an_order(), unknown))
    assert "Also ordered" not in alone
    assert "**Also ordered, in no figure above:** 1 order of unknown code." in text
    turned = an_order(order_id="turned", modifierExtension=[{"url": "urn:x", "valueBoolean": True}])
    _, text = answered(post, a_request(an_order(), turned))
    assert "**Also ordered, in no figure above:** 1 order not understood." in text
    _, text = answered(post, a_request(an_order(), turned, unknown, unknown | {"id": "another"}))
    assert "**Also ordered, in no figure above:** 2 orders of unknown code, 1 order not understood." in text
    lab = an_order((LOINC, "24323-8"), order_id="lab")
    assert "Also ordered" not in answered(post, a_request(an_order(), lab))[1]


def test_a_number_that_moves_the_estimate_says_that_a_newer_one_was_not_read(post: Post) -> None:
    old = a_result("2160-0", 2.4, "mg/dL", days=60, result_id="old")
    newer = foreign_results.said(id="newer", valueString="siehe Befund")
    result, text = answered(post, whole(labs=bundle(old, newer)))
    assert "[a newer one was not read]" in text
    assert "newer-unreadable" in status(result, "egfr")["flags"]


@pytest.mark.parametrize("status", ["final", "entered-in-error"])
def test_what_an_answer_names_beside_it_makes_no_other_input_unclear(post: Post, status: str) -> None:
    """As the International Patient Summary has it: a pregnancy names its expected date of birth, which is not asked."""
    pregnancy = foreign_results.said(
        id="pregnancy",
        status=status,
        code=foreign_results.coded((LOINC, "82810-3")),
        valueCodeableConcept=foreign_results.coded((LOINC, "LA26683-5")),
        hasMember=[{"reference": "Observation/expected-date-of-birth"}],
    )
    numbers = (an_asa_class(), a_functional_status(), a_result("39156-5", 27.1, "kg/m2"))
    result, _ = answered(post, whole(observations=bundle(*numbers, pregnancy)))
    plain, _ = answered(post, whole())
    assert result["inputs"] == plain["inputs"]


def test_a_result_beside_one_that_counts_is_told_as_newer_only_if_it_is(post: Post) -> None:
    counts = a_result("2160-0", 2.4, "mg/dL", days=5, result_id="counts")
    same = foreign_results.said(id="same", effectiveDateTime=counts["effectiveDateTime"], valueString="siehe Befund")
    _, text = answered(post, whole(labs=bundle(counts, same)))
    assert "[another one was not read]" in text
    assert "a newer one" not in text
    panel = foreign_results.panel(contained=[{k: v for k, v in counts.items() if k != "subject"}])
    _, text = answered(post, whole(labs=bundle(counts, panel)))
    assert "was not read" not in text
