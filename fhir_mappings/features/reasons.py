"""Why an input has no usable value, in words that a clinician understands."""

from __future__ import annotations

from datetime import datetime

from fhir_mappings.features.feature_catalogue import FEATURES
from fhir_mappings.results.feature import Feature

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WORDS = {
    "never-recorded": "none found",
    "fetch-failed": "could not be fetched",
    "doubtful": "all searches came back empty",
    "not-authorised": "access not granted",
    "not-provided": "not provided by the record system",
    "truncated": "list cut short",
    "outside-icd": "diagnoses without a code that the score weighs",
    "not-understood": "not among what was understood of the record",
    "taking-unclear": "not clear whether it is taken",
    "awaited": "result awaited",
    "result-status-unknown": "result without a valid status",
    "other-code": "recorded under a code that is not read",
    "unreadable": "recorded in a form that cannot be read",
    "unknown": "recorded as unknown",
    "masked": "withheld",
    "not-done": "recorded as not done",
    "declined": "declined by the patient",
    "two-concepts": "coded as two different things",
    "values-differ": "two results of the same time differ",
    "no-time": "result without a date",
    "date-imprecise": "date not exact enough",
    "date-unreadable": "date not readable",
    "future": "dated in the future",
    "stale": "too old",
    "unit-mismatch": "unit not one of this test",
    "unit-unknown": "unit not recognised",
    "unit-missing": "result without a unit",
    "unit-conflict": "two units that contradict each other",
    "non-numeric": "result is not a number",
    "implausible": "implausible value",
    "comparator-unknown": "result with an unknown sign",
    "censored": "only a limit or range",
    "on-oxygen": "measured with added oxygen",
    "placeholder": "birth date is a placeholder",
    "sex-not-recorded": "not recorded as female or male",
    "out-of-range": "outside the scale",
    "answer-unknown": "answer not recognised",
    "no-site-map": "not mapped for this hospital",
    "status-unknown": "recorded as unknown",
    "not-ordered": "none ordered yet",
    "undated": "recorded without a date",
    "age-missing": "age missing",
    "creatinine-missing": "creatinine not usable",
    "sex-missing": "sex missing",
}


def words(feature: Feature | str | None) -> str:
    """Why a feature is not usable, in plain words; of a stale one, older than what. "" if nothing is to be said."""
    if feature is None:
        return ""
    if isinstance(feature, str):
        return WORDS.get(feature, "not usable")
    if feature.status == "stale":
        definition = feature.definition or FEATURES.get(feature.name)
        days = definition.lookback_days if definition else None
        if not days:
            return WORDS["stale"]
        of = f" of {_day(feature.time)}," if feature.time else ""
        return f"result{of} older than {_span(days)}"
    return words(feature.reason)


def _day(when: datetime) -> str:
    """A calendar day in the zone in which it was recorded: 3 Jun 2025."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def _span(days: int) -> str:
    """A window as a person would say it: 90 days, 1 year, 5 years."""
    years = round(days / 365.25)
    if days < 365:
        return f"{days} days"
    return "1 year" if years == 1 else f"{years} years"
