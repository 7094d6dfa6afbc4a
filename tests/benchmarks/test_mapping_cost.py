"""What mapping costs: beside json.loads of the same bytes, and linear in the number of Observations."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cds_service.patient_data import prefetch
from fhir_mappings.features import features
from fhir_mappings.fhir.search_result import SearchResult, SearchResults
from fhir_mappings.patient import patient_record
from fhir_mappings.patient.patient_record import KEYS
from fhir_mappings.terminology.code_systems import LOINC, UCUM
from tests.benchmarks import bodies, bounds
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

# A machine that needs longer than 60 ms for json.loads of the 4.8 MB of 10,000 Observations is slower, or busier, than
# any server that would run this (the reference machine takes 22 ms): there the limit is a part of json.loads.
SLOW_JSON_MS = 60.0
PATIENCE_S = 15.0  # above the limit, it is measured again for a while: others use the machine too
TRIES = 3  # measured again where it is above its bound: one that is dearer stays so
BODY_LIMIT_BYTES = 5 * 1024 * 1024
MEASURED = (("2160-0", 1.1, "mg/dL"), ("718-7", 13.0, "g/dL"), ("777-3", 200.0, "10*3/uL"), ("2951-2", 140.0, "mmol/L"),
            ("2345-7", 100.0, "mg/dL"), ("6301-6", 1.0, "{INR}"), ("1751-7", 4.0, "g/dL"), ("8302-2", 170.0, "cm"),
            ("29463-7", 80.0, "kg"), ("59408-5", 97.0, "%"), ("8867-4", 70.0, "/min"), ("2823-3", 4.2, "mmol/L"),
            ("6690-2", 7.0, "10*3/uL"), ("3094-0", 12.0, "mg/dL"))  # fmt: skip
DIAGNOSES = ("E11.9", "I50.9", "I10", "J44.9", "M48.061", "M43.16", "E78.5", "K21.9", "F32.A", "G47.33",
             "N18.31", "I25.10", "Z87.891", "H25.9", "M17.0", "E03.9", "N40.0", "L40.0", "D50.9", "R51.9")  # fmt: skip
CATEGORY = coded(("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory"))


def compact(number: int) -> dict[str, Any]:
    """One result with no more than its elements: ten thousand of these fit a request body of 5 MiB."""
    code, value, unit = MEASURED[number % len(MEASURED)]
    return {
        "resourceType": "Observation",
        "id": f"o-{number}",
        "status": "final",
        "category": [CATEGORY],
        "code": coded((LOINC, code)),
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "effectiveDateTime": days_ago(1 + number // len(MEASURED) * 0.05),
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }


def fat(number: int) -> dict[str, Any]:
    """One result as an EHR sends it, page by page, with all that nobody reads; a local code beside the LOINC code."""
    code, value, unit = MEASURED[number % len(MEASURED)]
    local = {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.768282", "code": f"L{code}", "display": "LOCAL RESULT"}
    concept = coded((LOINC, code))
    concept["coding"].append(local)
    return an_observation(
        concept, value, unit, id=f"o-{number}", effectiveDateTime=days_ago(1 + number // len(MEASURED) * 0.05),
        meta={"versionId": "1", "lastUpdated": days_ago(1), "profile": ["http://hl7.org/fhir/us/core/lab"] * 2},
        category=[CATEGORY],
        issued=days_ago(1), performer=[{"reference": "Organization/laboratory", "display": "Laboratory"}],
        referenceRange=[{"low": {"value": 1, "unit": unit}, "high": {"value": 9, "unit": unit}, "text": "1 to 9"}],
    )  # fmt: skip


def searches(observations: int, written: Callable[[int], dict[str, Any]] = compact) -> SearchResults:
    conditions = [a_condition(code, onsetDateTime="2019-05-01", recordedDate="2019-05-02") for code in DIAGNOSES]
    found = {key: SearchResult() for key in KEYS}
    found["patient"] = SearchResult(resources=as_json([a_patient()]))
    found["conditions"] = SearchResult(resources=as_json(conditions))
    found["labs"] = SearchResult(resources=as_json(written(number) for number in range(observations)))
    return found


def cpu_ms(work: Callable[[], object], times: int) -> float:
    """Milliseconds of CPU per call."""
    started = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - started) / times * 1000


def best_ms(*works: Callable[[], object], rounds: int, times: int) -> list[float]:
    """The best of several rounds of each, taken in turn so that a busy machine is busy for all of them."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        best = [min(one, cpu_ms(work, times)) for one, work in zip(best, works, strict=True)]
    return best


def mapping(results: SearchResults) -> Callable[[], object]:
    procedure = a_planned_procedure()

    def work() -> object:
        record = patient_record.read_record(results, patient_id=PATIENT_ID, as_of=AS_OF, zone=ZONE, maps=DEMO_MAPS)
        return features.derive(record, procedure)

    work()
    return work


def test_the_request_of_the_benchmark_costs_about_as_much_as_json_loads() -> None:
    body = bodies.body()
    sent = msgspec.json.decode(body, type=bodies.Sent).prefetch
    results = {key: prefetch.read_page(sent[key]).result if key in sent else SearchResult() for key in KEYS}
    procedure, now = a_planned_procedure(), bodies.now()

    def read() -> patient_record.PatientRecord:
        return patient_record.read_record(results, patient_id="pt-b", as_of=now, zone=ZONE, maps=DEMO_MAPS)

    record, ratio, tries = read(), math.inf, 0
    while not bounds.MAPPING.holds(ratio) and tries < TRIES:
        tries += 1
        loaded, reading, deriving = best_ms(
            lambda: json.loads(body), read, lambda: features.derive(record, procedure), rounds=15, times=30
        )
        ratio = (reading + deriving) / loaded
        print(f"\nrequest of {len(body) / 1000:.0f} kB, ms CPU: json.loads {loaded:.3f}", end=", ")
        print(f"read {reading:.3f}, derive {deriving:.3f}: {ratio:.2f} of json.loads {bounds.MAPPING}")
    assert bounds.MAPPING.holds(ratio)


@pytest.mark.parametrize("written", [compact, fat])
def test_cost_grows_linearly_to_ten_thousand_observations(written: Callable[[int], dict[str, Any]]) -> None:
    costs = {}
    for count, times in ((100, 50), (1_000, 10)):
        (costs[count],) = best_ms(mapping(searches(count, written)), rounds=6, times=times)
    results = searches(10_000, written)
    body = body_of(results)
    work, end = mapping(results), time.monotonic() + PATIENCE_S
    loaded, costs[10_000] = best_ms(lambda: json.loads(body), work, rounds=8, times=1)
    while written is compact and not bounds.MAPPING_10_000_MS.holds(costs[10_000]) and time.monotonic() < end:
        costs[10_000] = min(costs[10_000], *best_ms(work, rounds=4, times=1))
    ratio = costs[10_000] / loaded
    print(f"\nmapping Observations of {len(body) // 10_000} bytes, ms CPU: ", end="")
    print(", ".join(f"{count:,}: {ms:.2f}" for count, ms in costs.items()), end="; ")
    print(f"json.loads of the same {len(body) / 1e6:.1f} MB: {loaded:.0f} ms, mapping {ratio:.2f} of it")
    assert bounds.LINEARITY.holds(costs[10_000] / 10 / costs[1_000])
    if written is compact:
        assert len(body) < BODY_LIMIT_BYTES
        slow = loaded > SLOW_JSON_MS and bounds.MAPPING_10_000_RATIO.holds(ratio)
        assert slow or bounds.MAPPING_10_000_MS.holds(costs[10_000])


def body_of(results: SearchResults) -> bytes:
    """Everything that the searches found, as one JSON array."""
    return b"[" + b",".join(bytes(raw) for one in results.values() for raw in one.resources) + b"]"
