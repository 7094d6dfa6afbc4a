"""No text, however long and of whatever characters, costs more than its length."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from types import ModuleType

import pytest

from fhir_mappings.features import existing_tests, iron_status, urgency
from fhir_mappings.fhir import dates
from fhir_mappings.patient import demographics, findings, questionnaire_answers
from fhir_mappings.results import decimal_comma, measurements, observations, quantities, result_selection
from fhir_mappings.results.site_rules import SiteRules
from fhir_mappings.terminology import unit_texts, units
from tests.builders import ZONE, an_observation, derived

LENGTH = 65_536
FAST_S, RATIO = 0.02, 2.6
MODULES: tuple[ModuleType, ...] = (
    questionnaire_answers, dates, decimal_comma, demographics, findings, iron_status, measurements, observations,
    quantities,
    result_selection, unit_texts, units, urgency, existing_tests,
)  # fmt: skip
PATTERNS = {
    f"{module.__name__}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, re.Pattern)
}
UNITS = " 1{}[]/.-*^%µ⁹³"
HOSTILE = [*UNITS, "0", "a", "I", "x", '"', "\\", ",", "<", "\n", " \t", "1.", "1,", "1.000", "10*3", "{Hb}", "/L",
           "ASA ", "1e9", "mL/min/", "m^", "ﷺ", "+0"]  # fmt: skip


def seconds(work: Callable[[], object]) -> float:
    """The best of three."""
    best = float("inf")
    for _ in range(3):
        started = time.thread_time()
        work()
        best = min(best, time.thread_time() - started)
    return best


def is_linear(read: Callable[[str], object], piece: str) -> bool:
    """Fast at 64 KiB, or at least no slower than in proportion; with an end that makes every match fail."""
    text = piece * (LENGTH // len(piece))
    return all(map(partial(_costs_its_length, read), (text, f"1{text}", f"ASA{text}")))


def _costs_its_length(read: Callable[[str], object], text: str) -> bool:
    whole, half = (partial(read, part + "\x00") for part in (text, text[: len(text) // 2]))
    return any(seconds(whole) < FAST_S or seconds(whole) < RATIO * seconds(half) for _ in range(3))


def test_the_patterns_are_found() -> None:
    assert len(PATTERNS) >= 10


@pytest.mark.parametrize("name", PATTERNS)
def test_every_pattern_is_linear(name: str) -> None:
    pattern = PATTERNS[name]
    slow = [piece for piece in HOSTILE for read in (pattern.match, pattern.search) if not is_linear(read, piece)]
    assert slow == []


READERS: dict[str, Callable[[str], object]] = {
    "unit": unit_texts.ucum,
    "number": quantities.number_in,
    "decimal comma": decimal_comma.number_with_point,
    "date": lambda text: dates.moment(text, ZONE),
    "ASA class": questionnaire_answers._asa_text,
}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_of_texts_is_linear(name: str) -> None:
    assert [piece for piece in HOSTILE if not is_linear(READERS[name], piece)] == []


@pytest.mark.parametrize("code", ["97816-3", "718-7", "72166-2", "2160-0"])
@pytest.mark.parametrize("rules", [SiteRules(), SiteRules(decimal_comma=True)])
@pytest.mark.parametrize("piece", [" ", "1", "I", "\t", "1.000", '"'])
def test_a_result_of_64_kib_of_anything_is_rejected_at_once(code: str, rules: SiteRules, piece: str) -> None:
    text = piece * (LENGTH // len(piece)) + "x"
    for members in (
        {"valueString": text},
        {"valueQuantity": {"value": 1.1, "unit": text}},
        {"effectiveDateTime": text},
    ):
        result = an_observation(code, None, **{"valueInteger": 3, **members})
        started = time.thread_time()
        found = derived(result, rules=rules)
        assert time.thread_time() - started < 0.5
        assert not any(found[name].usable for name in ("haemoglobin", "creatinine")) or "valueQuantity" not in members
