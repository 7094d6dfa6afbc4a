"""Which procedure is the operation of an order, and what a site's own map says of a code."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhir_mappings.fhir.elements import CodeableConcept, Coding
from fhir_mappings.outcomes import code_meaning, outcome_definitions
from fhir_mappings.outcomes.operated import Operated, operated
from fhir_mappings.terminology.code_systems import SNOMED_CT
from fhir_mappings.terminology.concept_maps import ConceptMaps, vocabulary
from fhir_mappings.terminology.icd_spelling import ICD_10_CM
from tests.fhir_mappings.outcomes import base_case

AGAIN = {**base_case.BASE["op"], "id": "again"}


@pytest.mark.parametrize(
    ("add", "expected"),
    [
        ({}, date(2026, 3, 10)),
        ({**AGAIN, "performedDateTime": "2026-03-08"}, date(2026, 3, 8)),
        ({**AGAIN, "performedDateTime": "2026-02-28"}, date(2026, 2, 28)),  # one day: UTC and the hospital's zone
        ({**AGAIN, "performedDateTime": "2026-02-27"}, date(2026, 3, 10)),
        ({**AGAIN, "performedDateTime": "2026-03-08", "status": "not-done"}, date(2026, 3, 10)),
        ({**AGAIN, "performedDateTime": "2026-04"}, date(2026, 3, 10)),
        ({**AGAIN, "performedDateTime": "2026-03"}, "operation-day-unknown"),
        ({**AGAIN, "performedDateTime": None}, "operation-day-unknown"),
        ({**base_case.BASE["op"], "performedDateTime": "2026-03"}, "operation-day-unknown"),
        ({**base_case.BASE["op"], "performedDateTime": "2026-08-29"}, "operation-not-found"),
        ({**base_case.BASE["op"], "pcs": "0SRD0J9"}, "operation-not-found"),
    ],
)
def test_the_operation_is_the_first_completed_procedure_of_the_group(add: dict[str, Any], expected: object) -> None:
    person = base_case.followed(base_case.resources(add=[add] if add else []), date(2026, 12, 31))
    found = operated(person, "spine-fusion", ordered_on=base_case.ORDERED)
    assert (found.day if isinstance(found, Operated) else found) == expected


def test_an_operation_of_a_later_order_is_not_that_of_an_earlier_one() -> None:
    person = base_case.followed(base_case.resources())
    found = operated(person, "spine-fusion", ordered_on=base_case.ORDERED, taken={"Procedure/op"})
    assert found == "operation-not-found"


def test_what_a_site_says_of_a_code_alone_counts() -> None:
    sets = outcome_definitions.value_sets(outcome_definitions.DEFINITIONS)
    pair = (ICD_10_CM, "E119")
    maps = ConceptMaps({pair: ((SNOMED_CT, "404684003"),)}, alone=frozenset({pair}))
    concept = CodeableConcept(coding=(Coding(system=ICD_10_CM, code="E11.9"),))
    pneumonia = outcome_definitions.BY_NAME["pneumonia"]
    assert code_meaning.of_diagnosis(concept, pneumonia, vocabulary(sets, maps)) == "unknown"
    assert code_meaning.of_diagnosis(concept, pneumonia, base_case.WORDS) == "other"
