"""What the record knows beyond the features, and only suggestions ask: diagnoses, classes of medicine, tests done.

Nothing here is an input of a model.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from fhir_mappings.clock import Clock, placed
from fhir_mappings.concept_maps import Vocabulary
from fhir_mappings.coverage import Coverage
from fhir_mappings.dates import Moment, moment
from fhir_mappings.diagnoses import Diagnoses
from fhir_mappings.medications import Medications
from fhir_mappings.observations import index
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
    "ecg": 365,
    "dxa": 730,
    "vitamin-d": 730,
    "frailty-score": 180,
}


class Workup(Struct, frozen=True):
    """`not_done`: tests that were searched for and have no result inside their days; one not searched for is absent."""

    diagnoses: frozenset[str] = frozenset()
    medicines: frozenset[str] = frozenset()
    not_done: frozenset[str] = frozenset()


def read(
    diagnoses: Diagnoses,
    medications: Medications,
    observations: Iterable[Observation],
    *,
    searched: Coverage,
    words: Vocabulary,
    now: Clock,
) -> Workup:
    """What suggestions ask, as of the hook. `searched`: how far the results were seen; a gap proves nothing."""
    return Workup(
        frozenset(idea for idea in DIAGNOSES if diagnoses.of(idea)),
        frozenset(name for name in MEDICINES if _is_taken(name, medications)),
        frozenset() if searched.gap else frozenset(_not_done(observations, words, now)),
    )


def _is_taken(name: str, medications: Medications) -> bool:
    substances = (substance for one in medications.taken for substance in one.drug.ingredients)
    return any(substance.startswith(MEDICINES[name]) for substance in substances)


def _not_done(observations: Iterable[Observation], words: Vocabulary, now: Clock) -> Iterable[str]:
    recorded = index(observations, words, tuple(TESTS_DAYS))
    for name, days in TESTS_DAYS.items():
        times = (_time(one.observation, now) for one in recorded.get(name, ()))
        if not any(time is not None and not placed(time, days, now) for time in times):
            yield name


def _time(observation: Observation, now: Clock) -> Moment | None:
    period = observation.effective_period
    text = observation.effective_date_time or observation.effective_instant
    return moment(text or (period.end or period.start if period else None) or observation.issued, now.zone)
