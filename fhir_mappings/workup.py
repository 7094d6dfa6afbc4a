"""What the record knows beyond the features, and only suggestions ask: diagnoses, classes of medicine, tests done.

Nothing here is an input of a model.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from fhir_mappings.clock import placed
from fhir_mappings.dates import Moment, moment
from fhir_mappings.medications import Medications
from fhir_mappings.observations import TESTED_LABORATORY, TESTED_OTHERWISE
from fhir_mappings.patient_record import PatientRecord
from fhir_mappings.resources import Observation

DIAGNOSES = ("iron-deficiency", "osteoporosis", "sleep-apnoea", "active-cardiac-condition", "slow-gastric-emptying")

# By ATC code of the substance. Source: WHO Collaborating Centre, ATC index.
MEDICINES = {
    "sglt2_inhibitor": ("A10BK",),
    "glp1_receptor_agonist": ("A10BJ", "A10BX16"),
    "p2y12_inhibitor": ("B01AC04", "B01AC05", "B01AC22", "B01AC24", "B01AC25"),
}

# Days for which a result makes another superfluous. Source: the look-back column of suggestions.md.
TESTS_DAYS = {
    "ferritin": 90,
    "transferrin-saturation": 90,
    "nt-probnp": 90,
    "vitamin-d": 730,
    "ecg": 365,
    "dxa": 730,
    "frailty-score": 180,
}


class Workup(Struct, frozen=True):
    """`not_done`: tests that were searched for and have no result inside their days; one not searched for is absent."""

    diagnoses: frozenset[str] = frozenset()
    medicines: frozenset[str] = frozenset()
    not_done: frozenset[str] = frozenset()


def read(record: PatientRecord) -> Workup:
    """What suggestions ask, as of the hook. Where a search failed or was cut short, nothing counts as not done."""
    searched = (*_searched("labs", TESTED_LABORATORY, record), *_searched("observations", TESTED_OTHERWISE, record))
    return Workup(
        frozenset(idea for idea in DIAGNOSES if record.diagnoses.of(idea)),
        frozenset(name for name in MEDICINES if _is_taken(name, record.medications)),
        frozenset(name for name in searched if not _is_done(name, record)),
    )


def _is_taken(name: str, medications: Medications) -> bool:
    substances = (substance for one in medications.taken for substance in one.drug.ingredients)
    return any(substance.startswith(MEDICINES[name]) for substance in substances)


def _searched(key: str, names: tuple[str, ...], record: PatientRecord) -> Iterable[str]:
    return () if record.seen(key).gap else names


def _is_done(name: str, record: PatientRecord) -> bool:
    times = (_time(one.observation, record) for one in record.recorded.get(name, ()))
    return any(time is not None and not placed(time, TESTS_DAYS[name], record.clock) for time in times)


def _time(observation: Observation, record: PatientRecord) -> Moment | None:
    period = observation.effective_period
    of_period = (period.end or period.start) if period else None
    text = observation.effective_date_time or observation.effective_instant or of_period or observation.issued
    return moment(text, record.zone)
