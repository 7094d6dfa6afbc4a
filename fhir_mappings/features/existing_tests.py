"""What the record knows beyond the features, and only suggestions ask: diagnoses, medicines, tests, procedures.

Nothing here is an input of a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from fhir_mappings.features import iron_status
from fhir_mappings.fhir.clock import placed
from fhir_mappings.patient.condition_codes import ADVISORY
from fhir_mappings.patient.medications import Medications
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.results.feature import Feature
from fhir_mappings.results.result_time import STALE, in_window
from fhir_mappings.results.tested_rules import TESTED

DIAGNOSES = tuple(sorted(ADVISORY))

# By ATC code of the substance. Source: WHO Collaborating Centre, ATC index.
MEDICINES = {
    "sglt2_inhibitor": ("A10BK",),
    "glp1_receptor_agonist": ("A10BJ", "A10BX16"),
    "doac": ("B01AF", "B01AE07"),
    "p2y12_inhibitor": ("B01AC04", "B01AC05", "B01AC22", "B01AC24", "B01AC25"),
}

TESTS_DAYS = {name: one.days for name, one in TESTED.items()}

# Days for which a procedure still matters. Sources: the look-backs of the catalogue; a coronary stent within
# a year is one whose antiplatelet treatment has a timing question (2024 AHA/ACC guideline, section 6).
PERFORMED_DAYS = {"red-cell-transfusion": 90, "coronary-stent": 365, "stop-smoking-counselling": 30}


class Workup(Struct, frozen=True):
    """What only suggestions ask.

    `done`: tests that have a result inside their days. `not_done`: those that were searched for and have none; a test
    that was not searched for, or of which a result is awaited, not readable or of no certain time, is never among them.
    `results`: the iron stores as numbers. `performed`: the latest procedure of each kind inside its days;
    one without a date is not known to be recent.
    """

    diagnoses: frozenset[str] = frozenset()
    medicines: frozenset[str] = frozenset()
    not_done: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()
    results: Mapping[str, Feature] = {}
    performed: Mapping[str, datetime] = {}


def read_existing_tests(record: PatientRecord) -> Workup:
    """What suggestions ask, as of the hook. Where a search failed or was cut short, nothing counts as not done."""
    seen = {True: record.seen("labs"), False: record.seen("observations")}
    searched = {name for name, one in TESTED.items() if seen[one.laboratory].within(one.days).gap is None}
    places = {name: _places(name, record) for name in TESTS_DAYS if name in record.recorded}
    done = frozenset(name for name, found in places.items() if "" in found)
    in_doubt = frozenset(name for name, found in places.items() if found - {STALE})
    return Workup(
        diagnoses=frozenset(idea for idea in ADVISORY & record.diagnoses.by_idea.keys() if record.diagnoses.of(idea)),
        medicines=frozenset(name for name in MEDICINES if _is_taken(name, record.medications)),
        not_done=frozenset(searched - done - in_doubt),
        done=done,
        results=iron_status.iron_results(record),
        performed=_performed(record),
    )


def _performed(record: PatientRecord) -> dict[str, datetime]:
    latest: dict[str, datetime] = {}
    for one in record.procedures:
        for idea in one.ideas:
            days = PERFORMED_DAYS.get(idea)
            if days is None or one.when is None or placed(one.when, days, record.clock):
                continue
            latest[idea] = max(one.when.time, latest.get(idea, one.when.time))
    return latest


def _is_taken(name: str, medications: Medications) -> bool:
    substances = (substance for one in medications.taken for substance in one.drug.ingredients)
    return any(substance.startswith(MEDICINES[name]) for substance in substances)


def _places(name: str, record: PatientRecord) -> set[str]:
    """Where the results of a test lie: "" in its days, STALE, or why one can be neither read nor placed."""
    return {one.unread or in_window(one.written, TESTS_DAYS[name], record.clock)[1] for one in record.recorded[name]}
