"""Answers to questions: ASA class, functional status, smoking (inputs 4). The latest wins."""

from __future__ import annotations

import re
from collections.abc import Callable

from fhir_mappings.fhir.clock import Clock, could_be_within
from fhir_mappings.fhir.coverage import Coverage
from fhir_mappings.fhir.elements import CodeableConcept, Quantity
from fhir_mappings.fhir.resources import Valued
from fhir_mappings.patient.diagnoses import Diagnoses, Diagnosis
from fhir_mappings.results.feature import Feature, FeatureValue
from fhir_mappings.results.measurements import feature_of_outcome
from fhir_mappings.results.observations import RecordedByInput
from fhir_mappings.results.quantities import Reading, absent, rejected
from fhir_mappings.results.result_selection import winner
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.unit_texts import unit_of

ASA_DAYS, FUNCTION_DAYS, SMOKING_DAYS = 90, 90, 365
_SMOKED_WITHIN_DAYS = 365  # NSQIP: smoked within a year
_ASA_TEXT = re.compile(r"(?:ASA\s{0,9})?(I{1,3}|IV|V|VI|[1-6])(?:\s{0,9}E)?\Z", re.IGNORECASE | re.ASCII)
_LONGEST_TEXT = 32  # characters of a class in words
_ASA_UNITS = frozenset({"1", "{score}"})  # "{class}" and any other annotation alone is 1 in UCUM
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6}
_FUNCTION = ("independent", "partially-dependent", "totally-dependent")
_SMOKING = {"smoking-never": "never", "smoking-former": "former", "smoking-current": "current"}


def _used(value: FeatureValue) -> Reading:
    return Reading("used", value=value, model_value=value)


def _ideas(concept: CodeableConcept, words: Vocabulary) -> set[str]:
    found = {idea for one in concept.coding for idea in words.ideas(one.system, one.code)}
    return found or set(words.ideas_of_text(concept.text) if concept.text and not concept.coding else ())


def asa_class(recorded: RecordedByInput, words: Vocabulary, coverage: Coverage, now: Clock) -> Feature:
    """ASA physical status, 1 to 5. An "E" is dropped: it may belong to an earlier operation."""
    return answered("asa_class", "asa-class", ASA_DAYS, _asa, (recorded, words, coverage, now), unit="1")


def _asa(valued: Valued, words: Vocabulary) -> Reading:
    if valued.value_codeable_concept is not None:
        ideas = _ideas(valued.value_codeable_concept, words)
        found = {int(idea[-1]) for idea in ideas if idea.startswith("asa-class-")}
        if len(found) > 1:
            return Reading("conflicting", reason="two-concepts")
        return _asa_number(found.pop()) if found else rejected("answer-unknown")
    if valued.value_integer is not None:
        return _asa_number(valued.value_integer)
    if valued.value_string is not None:
        return _asa_text(valued.value_string.strip())
    if (quantity := valued.value_quantity) is not None and quantity.value is not None:
        return _asa_quantity(quantity)
    return _without_answer(valued)


def _asa_text(text: str) -> Reading:
    match = _ASA_TEXT.match(text) if len(text) <= _LONGEST_TEXT else None
    if match is None:
        return rejected("answer-unknown")
    grade = match[1].upper()
    return _asa_number(_ROMAN[grade] if grade in _ROMAN else int(grade))


def _asa_quantity(quantity: Quantity) -> Reading:
    """A class recorded as a number without a unit."""
    written = bool(quantity.code or quantity.unit)
    unit = unit_of(quantity.code, quantity.system, quantity.unit)[0] if written else "1"
    if quantity.comparator or unit not in _ASA_UNITS:
        return rejected("answer-unknown")
    return _asa_number(quantity.value or 0.0)


def _asa_number(number: float) -> Reading:
    return _used(float(number)) if number in (1, 2, 3, 4, 5) else rejected("out-of-range")


def _without_answer(valued: Valued) -> Reading:
    has_value = valued.value_quantity is not None or valued.value_range is not None or len(bytes(valued.value_boolean))
    return rejected("answer-unknown") if has_value else absent(valued.data_absent_reason)


def functional_status(recorded: RecordedByInput, words: Vocabulary, coverage: Coverage, now: Clock) -> Feature:
    """Dependence in daily life, by NSQIP's three levels; only through the site's map, for there is no standard code."""
    if not words.means_something("functional-status"):
        return Feature(name="functional_status", status="missing", reason="no-site-map")
    arguments = (recorded, words, coverage, now)
    return answered("functional_status", "functional-status", FUNCTION_DAYS, _function, arguments)


def _function(valued: Valued, words: Vocabulary) -> Reading:
    ideas: set[str] = set()
    if valued.value_codeable_concept is not None:
        ideas = _ideas(valued.value_codeable_concept, words)
    elif valued.value_string is not None:
        ideas = set(words.ideas_of_text(valued.value_string))
    elif (total := _total(valued)) is not None:
        ideas = {
            idea for one in valued.code.coding for idea in words.ideas(f"{one.system}/{one.code}", total)
        }  # a site approves a scale's totals as codes of the item's own system: Barthel 85 is …/BARTHEL|85
    else:
        return _without_answer(valued)
    found = [level for level in _FUNCTION if f"functional-status-{level}" in ideas]
    if len(found) > 1:
        return Reading("conflicting", reason="two-concepts")
    return _used(found[0]) if found else rejected("answer-unknown")


def _total(valued: Valued) -> str | None:
    """A scale's total as a code: a whole number, recorded as an integer or as a quantity without comparator."""
    if valued.value_integer is not None:
        return str(valued.value_integer)
    quantity = valued.value_quantity
    if quantity is None or quantity.value is None or quantity.comparator or quantity.value != int(quantity.value):
        return None
    return str(int(quantity.value))


def smoking_status(  # the answer, else the diagnoses
    recorded: RecordedByInput, words: Vocabulary, coverage: Coverage, now: Clock, diagnoses: Diagnoses
) -> Feature:
    """never, former or current: the latest usable answer, else what a diagnosis says. An empty list is not "never"."""
    name = "smoking_status"
    answer = answered(name, "smoking-status", SMOKING_DAYS, _smoking, (recorded, words, coverage, now))
    if answer.usable:
        return answer
    if current := diagnoses.of("tobacco-use-disorder"):
        return _by_diagnosis("current", current, now)
    if past := diagnoses.of("tobacco-use-history", "tobacco-use-disorder", current=False):
        return _by_diagnosis("former", past, now)
    return answer


def _smoking(valued: Valued, words: Vocabulary) -> Reading:
    if valued.value_codeable_concept is None:
        return rejected("answer-unknown") if valued.value_string is not None else _without_answer(valued)
    ideas = _ideas(valued.value_codeable_concept, words)
    found = [value for idea, value in _SMOKING.items() if idea in ideas]
    if len(found) > 1:
        return Reading("conflicting", reason="two-concepts")
    if found:
        return _used(found[0])
    return Reading("missing", reason="status-unknown") if "smoking-unknown" in ideas else rejected("answer-unknown")


def _by_diagnosis(value: str, matches: tuple[Diagnosis, ...], now: Clock) -> Feature:
    """Former smokers who stopped within a year, where the end is dated, smoked within NSQIP's year."""
    first = min(matches, key=lambda one: one.source)
    stopped = [one.abatement for one in matches if one.abatement]
    recent = value == "former" and any(could_be_within(end, _SMOKED_WITHIN_DAYS, now) for end in stopped)
    return Feature(
        name="smoking_status",
        status="used",
        value=value,
        model_value=value,
        time=first.began.time if first.began else None,
        date_only=first.began.date_only if first.began else False,
        source=first.source,
        flags=("by-diagnosis", "stopped-within-a-year") if recent else ("by-diagnosis",),
    )


Arguments = tuple[RecordedByInput, Vocabulary, Coverage, Clock]


def answered(
    name: str,
    idea: str,
    lookback_days: int,
    read: Callable[[Valued, Vocabulary], Reading],
    arguments: Arguments,
    *,
    unit: str = "",
) -> Feature:
    """One answer by its item, an idea: the latest in the window that can be read; missing with the reason else."""
    recorded, words, coverage, now = arguments
    results, coverage = recorded.get(idea), coverage.within(lookback_days)
    outcome = winner(results, lambda valued: read(valued, words), lookback_days, now) if results else None
    if outcome is None:
        return Feature(name=name, status="missing", unit=unit, reason=coverage.gap or "never-recorded")
    return feature_of_outcome(name, unit, outcome, coverage)
