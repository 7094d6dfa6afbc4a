"""Whether the patient is pregnant: then the estimate is out of scope (inputs 7)."""

from __future__ import annotations

from typing import Literal

from fhir_mappings.fhir.clock import Clock, could_be_within
from fhir_mappings.fhir.coverage import Coverage
from fhir_mappings.fhir.dates import Moment
from fhir_mappings.fhir.resources import Valued
from fhir_mappings.patient.diagnoses import Diagnoses, Diagnosis
from fhir_mappings.results.observations import RecordedByInput
from fhir_mappings.results.quantities import Reading, absent, rejected
from fhir_mappings.results.result_selection import winner
from fhir_mappings.terminology.concept_maps import Vocabulary

Pregnancy = Literal["yes", "no", "unknown"]
_DAYS = 300
_ANSWERS = ("pregnancy-status-pregnant", "pregnancy-status-not-pregnant")


def pregnancy(
    recorded: RecordedByInput,
    diagnoses: Diagnoses,
    words: Vocabulary,
    *,
    diagnoses_seen: Coverage,
    answers_seen: Coverage,
    now: Clock,
) -> Pregnancy:
    """yes, no, or unknown where it was not searched; whatever sex is recorded.

    A current pregnancy diagnosis of the last 300 days, or undated, without a later delivery; or the latest answer
    to LOINC 82810-3 in 300 days. A later "not pregnant" there ends both. Whether an undated one began before a delivery
    of longer ago or after it, is unknown.
    """
    answer, said = _answer(recorded, words, now)
    if answer == _ANSWERS[0]:
        return "yes"
    ends = [end.began for end in diagnoses.of("pregnancy-ended", current=False) if end.began]
    ended = max(ends, key=lambda one: one.last, default=None)
    lasting = [one for one in diagnoses.of("pregnancy") if _may_last(one, ended, now)]
    known = [one for one in lasting if one.began is not None or ended is None]
    if any(not (answer and said and _is_later(said, one)) for one in known):
        return "yes"
    if answer == _ANSWERS[1]:
        return "no"
    if answer == "unknown" or len(lasting) > len(known):
        return "unknown"
    seen = diagnoses.seen(diagnoses_seen, lambda one: _may_last(one, ended, now), current=True)
    return "unknown" if seen.gap or answers_seen.within(_DAYS).gap else "no"


def _may_last(one: Diagnosis, ended: Moment | None, now: Clock) -> bool:
    """`ended`: the last delivery, which ends what began before it."""
    if one.began is None:
        return ended is None or not could_be_within(ended, _DAYS, now)
    return could_be_within(one.began, _DAYS, now) and not (ended is not None and _is_later(ended, one))


def _is_later(when: Moment, one: Diagnosis) -> bool:
    return one.began is None or when.last >= one.began.last


def _answer(recorded: RecordedByInput, words: Vocabulary, now: Clock) -> tuple[str | None, Moment | None]:
    results = recorded.get("pregnancy-status")
    outcome = winner(results, lambda valued: _read(valued, words), _DAYS, now) if results else None
    if outcome is None or outcome.winner.placed == "stale":
        return None, None
    if outcome.status != "used":  # of no certain time, not understood, or it says that nobody knows
        return "unknown", None
    return str(outcome.winner.reading.value), outcome.winner.when


def _read(valued: Valued, words: Vocabulary) -> Reading:
    concept = valued.value_codeable_concept
    if concept is None:
        return absent(valued.data_absent_reason)
    ideas = {idea for coding in concept.coding for idea in words.ideas(coding.system, coding.code)}
    found = [one for one in _ANSWERS if one in ideas]
    return Reading("used", value=found[0], model_value=found[0]) if len(found) == 1 else rejected("answer-unknown")
