"""Which codes are understood, and that what one code may name is bounded as ranges take it (DEC-37, DEC-38)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.fhir.elements import CodeableConcept, Coding
from fhir_mappings.terminology.code_systems import CPT, HCPCS, ICD_9_CM, ICD_10, ICD_10_CM, ICD_10_PCS, SNOMED_CT
from fhir_mappings.terminology.concept_maps import EMPTY, vocabulary
from fhir_mappings.terminology.understanding import (
    ABSENT_OR_UNKNOWN,
    DATA_ABSENT,
    Counted,
    of_concept,
    why_not_understood,
)
from fhir_mappings.terminology.value_sets import STANDARD
from models_onnx import registry
from tests.builders import a_condition, a_medication_request, a_record, coded, derived

LISINOPRIL = "29046"

WORDS = vocabulary(STANDARD, EMPTY)


@pytest.mark.parametrize(
    ("system", "code", "why"),
    [
        (ICD_10_CM, "M48.061", None),
        (ICD_10_CM, "I50.9", None),
        (ICD_10, "M48.0", None),
        (ICD_9_CM, "724.02", None),
        (ICD_10_CM, "heart failure", "code-not-listed"),
        (SNOMED_CT, "84114007", None),
        (SNOMED_CT, "1", "code-not-listed"),
        (ICD_10_PCS, "0DTJ4ZZ", None),
        (ICD_10_PCS, "0SG00AJ", None),
        (ICD_10_PCS, "0SH004Z", "code-not-listed"),
        (ICD_10_PCS, "5A1D00Z", "code-not-listed"),
        (ICD_10_PCS, "0DTJ4", "code-not-listed"),
        (CPT, "47562", "code-not-listed"),
        (HCPCS, "G0257", "code-not-listed"),
        ("https://hospital.example", "I50.9", "system-not-read"),
        (ABSENT_OR_UNKNOWN, "no-known-problems", None),
        (ABSENT_OR_UNKNOWN, "no-problem-info", "unread"),
        (DATA_ABSENT, "masked", "masked"),
        (None, "I50.9", "words-only"),
        (ICD_10_CM, None, "words-only"),
    ],
)
def test_why_a_code_is_not_understood(system: str | None, code: str | None, why: str | None) -> None:
    assert why_not_understood(system, code, WORDS) == why


def test_one_coding_that_is_classified_is_enough() -> None:
    local, known = Coding("https://hospital.example", "X"), Coding(ICD_10_CM, "M54.50")
    assert of_concept(CodeableConcept((local, known)), WORDS) is None
    assert of_concept(CodeableConcept((local,)), WORDS) == "system-not-read"
    assert of_concept(CodeableConcept(text="back pain"), WORDS) == "words-only"


def test_foreign_text_is_never_told_as_a_code() -> None:
    counted = Counted()
    codings = (Coding("Mr Miller's list", "chest pain since Monday"), Coding("https://h.example/x", "A" * 500))
    counted.add("system-not-read", CodeableConcept(codings), entry="c-1")
    assert set(counted.unclear({}).codes) == {("no known form", "not a code"), ("https://h.example/x", "not a code")}


@pytest.mark.parametrize("members", [{}, {"subject": None}, {"modifierExtension": [{"url": "urn:x"}]}, {"code": 7}])
def test_the_same_entry_sent_twice_means_no_more_than_once(members: dict[str, Any]) -> None:
    """And two that differ mean two things, even where a server gives them one id."""
    strange = a_condition(coded(("https://hospital.example", "X"))) | members
    other = strange | {"recordedDate": "2026-01-01"} | ({} if members else {"code": coded(("urn:x", "Y"))})
    once, twice, both = (a_record(*sent) for sent in ([strange], [strange, strange], [strange, other]))
    assert (once.not_understood.entries, once.not_understood.meanings) == (1, 2)
    assert (twice.not_understood.entries, twice.not_understood.meanings) == (2, 2)
    assert (both.not_understood.entries, both.not_understood.meanings) == (2, 4)


def test_no_code_makes_more_than_two_inputs_of_one_model_true() -> None:
    """So many the range takes a code to name at most (PatientRecord.not_understood.meanings)."""
    models = [frozenset(entry.name for entry in card.inputs) for card in registry.load(class_b=True).cards]
    named: dict[tuple[str, str], set[str]] = {}
    for one in STANDARD.by_id.values():
        for rule in one.includes:
            if rule.system in (ICD_10, ICD_10_CM, SNOMED_CT) and rule.kind in ("code", "prefix"):
                named.setdefault((rule.system, rule.value), set()).add(one.id)
    several = {code for code, ideas in named.items() if len(ideas) > 1 or code[0] in (ICD_10, ICD_10_CM)}
    several = {code for code in several if why_not_understood(*code, WORDS) is None}  # the others exist in no edition
    none = derived(a_medication_request(LISINOPRIL))  # hypertension counts where it is treated
    most = 0
    for code in sorted(several):
        found = derived(
            a_condition(coded(code), onsetDateTime="2026-11-19T09:00:00Z"), a_medication_request(LISINOPRIL)
        )
        # Of what is known: R69, an illness that nobody names, leaves everything open.
        known = {name: one.model_value for name, one in found.items() if one.model_value is not None}
        changed = {name for name, value in known.items() if value != none[name].model_value}
        most = max(most, *(len(names & changed) for names in models))
    assert most <= 2
