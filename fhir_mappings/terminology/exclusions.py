"""Which clinical ideas exclude each other: a code that were in both would say two things at once."""

from __future__ import annotations

from functools import cache
from itertools import combinations

from fhir_mappings.terminology.procedure_groups import GROUPS
from fhir_mappings.terminology.value_sets import ValueSets

_ANSWERS = (
    ("smoking-current", "smoking-former", "smoking-never", "smoking-unknown"),
    ("pregnancy-status-pregnant", "pregnancy-status-not-pregnant"),
    ("functional-status-independent", "functional-status-partially-dependent", "functional-status-totally-dependent"),
    ("lumbar-stenosis-none", "lumbar-stenosis-mild", "lumbar-stenosis-moderate", "lumbar-stenosis-severe"),
    ("genetic-finding-present", "genetic-finding-absent"),
    ("answer-yes", "answer-no"),
    tuple(f"asa-class-{number}" for number in range(1, 7)),
)
_DIAGNOSES = (
    ("tobacco-use-disorder", "tobacco-use-history"),
    ("septic-shock", "sepsis", "sirs"),
    ("surgical-complication", "sepsis"),
    ("surgical-complication", "septic-shock"),
    ("surgical-complication", "heart-failure"),
    ("cancer", "cancer-history"),
    ("pregnancy", "pregnancy-ended"),
    ("charlson-mild-liver-disease", "charlson-severe-liver-disease"),
    ("charlson-malignancy", "charlson-metastatic-tumour"),
    *(("family-history", idea) for idea in ("cancer", "diabetes", "heart-failure", "ischaemic-heart-disease", "copd")),
    *(("family-history", idea) for idea in ("cerebrovascular-disease", "dementia", "hypertension")),
    *(("screening", idea) for idea in ("cancer", "diabetes", "heart-failure", "pregnancy")),
)


@cache
def pairs() -> tuple[tuple[str, str], ...]:
    """Every two value sets that may not share a code."""
    return tuple(pair for group in (*_ANSWERS, *_DIAGNOSES, tuple(GROUPS)) for pair in combinations(group, 2))


def overlaps(sets: ValueSets) -> list[tuple[str, str, str]]:
    """(set, other set, code) for every code that is listed in a set and is also in one that excludes it."""
    return [
        (one, other, rule.value)
        for left, right in pairs()
        for one, other in ((left, right), (right, left))
        for rule in sets.by_id[one].includes
        if rule.kind != "regex" and other in sets.containing(rule.system, rule.value)
        if one in sets.containing(rule.system, rule.value)
    ]
