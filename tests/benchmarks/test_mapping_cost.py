"""What mapping costs: beside json.loads of the same body, and linear in the number of Observations."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from fhir_mappings import features, patient_record
from fhir_mappings.patient_record import KEYS
from fhir_mappings.search_result import SearchResult, SearchResults
from tests.builders import (
    AS_OF,
    DEMO_MAPS,
    PATIENT_ID,
    ZONE,
    a_condition,
    a_patient,
    a_planned_procedure,
    an_observation,
    as_json,
    coded,
    days_ago,
)

pytestmark = pytest.mark.benchmark

LIMIT_MS_AT_10_000 = 25.0  # issue 5; on a slower or busier machine the same as a part of json.loads, which takes
LIMIT_RATIO_AT_10_000 = 0.58  # 43 ms for these 9.4 MB at the speed of stack/report.md section 4 (143 kB in 660 us)
RATIO_TO_JSON = 1.6  # a body of 106 kB read and derived, beside json.loads of it: 0.6 to 1.2 by how busy the machine is
LINEARITY = 2.0  # the cost of one Observation among 10,000, beside its cost among 1,000 (caches are smaller than 9 MB)
MEASURED = (("2160-0", 1.1, "mg/dL"), ("718-7", 13.0, "g/dL"), ("777-3", 200.0, "10*3/uL"), ("2951-2", 140.0, "mmol/L"),
            ("2345-7", 100.0, "mg/dL"), ("6301-6", 1.0, "{INR}"), ("1751-7", 4.0, "g/dL"), ("8302-2", 170.0, "cm"),
            ("29463-7", 80.0, "kg"), ("59408-5", 97.0, "%"), ("8867-4", 70.0, "/min"), ("2823-3", 4.2, "mmol/L"),
            ("6690-2", 7.0, "10*3/uL"), ("3094-0", 12.0, "mg/dL"))  # fmt: skip
DIAGNOSES = ("E11.9", "I50.9", "I10", "J44.9", "M48.061", "M43.16", "E78.5", "K21.9", "F32.A", "G47.33",
             "N18.31", "I25.10", "Z87.891", "H25.9", "M17.0", "E03.9", "N40.0", "L40.0", "D50.9", "R51.9")  # fmt: skip


def padded(number: int) -> dict[str, Any]:
    """One laboratory result as an EHR sends it, with all that nobody reads."""
    code, value, unit = MEASURED[number % len(MEASURED)]
    local = {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.768282", "code": str(number), "display": "LOCAL RESULT"}
    concept = coded(("http://loinc.org", code))
    concept["coding"].append(local)
    return an_observation(
        concept, value, unit, id=f"o-{number}", effectiveDateTime=days_ago(1 + number // len(MEASURED) * 0.05),
        meta={"versionId": "1", "lastUpdated": days_ago(1), "profile": ["http://hl7.org/fhir/us/core/lab"] * 2},
        category=[coded(("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory"))],
        issued=days_ago(1), performer=[{"reference": "Organization/laboratory", "display": "Laboratory"}],
        referenceRange=[{"low": {"value": 1, "unit": unit}, "high": {"value": 9, "unit": unit}, "text": "1 to 9"}],
    )  # fmt: skip


def searches(observations: int) -> SearchResults:
    conditions = [a_condition(code, onsetDateTime="2019-05-01", recordedDate="2019-05-02") for code in DIAGNOSES]
    found = {key: SearchResult() for key in KEYS}
    found["patient"] = SearchResult(resources=as_json([a_patient()]))
    found["conditions"] = SearchResult(resources=as_json(conditions))
    found["labs"] = SearchResult(resources=as_json(padded(number) for number in range(observations)))
    return found


def best_ms(work: Callable[[], object], *, rounds: int, times: int) -> float:
    """The best of several rounds, milliseconds of CPU per call: what other work on the machine adds is left out."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - started) / times * 1000)
    return best


def mapping(results: SearchResults) -> Callable[[], object]:
    procedure = a_planned_procedure()

    def work() -> object:
        record = patient_record.read(results, patient_id=PATIENT_ID, as_of=AS_OF, zone=ZONE, maps=DEMO_MAPS)
        return features.derive(record, procedure)

    return work


def test_a_request_is_mapped_in_less_than_json_loads_takes() -> None:
    results = searches(100)
    body = body_of(results)
    work = mapping(results)
    work()
    mapped = best_ms(work, rounds=12, times=50)
    loaded = best_ms(lambda: json.loads(body), rounds=12, times=50)
    print(f"\nmapping {len(body) / 1000:.0f} kB: {mapped:.3f} ms, json.loads {loaded:.3f} ms, {mapped / loaded:.2f}")
    assert mapped / loaded < RATIO_TO_JSON


def test_cost_grows_linearly_to_ten_thousand_observations() -> None:
    costs = {}
    for count, times in ((100, 50), (1_000, 10), (10_000, 3)):
        work = mapping(searches(count))
        work()
        costs[count] = best_ms(work, rounds=6, times=times)
    body = body_of(searches(10_000))
    loaded = best_ms(lambda: json.loads(body), rounds=4, times=1)
    print("\nmapping, ms CPU: " + ", ".join(f"{count:,} Observations {ms:.2f}" for count, ms in costs.items()))
    print(
        f"json.loads of the same {len(body) / 1e6:.1f} MB: {loaded:.0f} ms, mapping {costs[10_000] / loaded:.2f} of it"
    )
    assert costs[10_000] / 10 < LINEARITY * costs[1_000]
    assert costs[10_000] < LIMIT_MS_AT_10_000 or costs[10_000] / loaded < LIMIT_RATIO_AT_10_000


def body_of(results: SearchResults) -> bytes:
    """Everything that the searches found, as one JSON array."""
    return b"[" + b",".join(bytes(raw) for one in results.values() for raw in one.resources) + b"]"
