"""Yes/no inputs and sepsis from diagnoses: what counts, whose history counts, and what no match means."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from msgspec.structs import replace

from fhir_mappings.fhir.clock import Clock, could_be_within
from fhir_mappings.fhir.coverage import Coverage
from fhir_mappings.fhir.dates import Moment
from fhir_mappings.patient.diagnoses import Diagnoses, Diagnosis
from fhir_mappings.results.feature import Feature

# Inputs 5: the idea of each input, and whether its history counts for good.
CURRENT_ONLY = {
    "diabetes": "diabetes",
    "copd": "copd",
    "chronic_kidney_disease": "chronic-kidney-disease",
    "metastatic_cancer": "metastatic-cancer",
    "dementia": "dementia",
}
LIFELONG = {
    "heart_failure": "heart-failure",
    "ischaemic_heart_disease": "ischaemic-heart-disease",
    "cerebrovascular_disease": "cerebrovascular-disease",
}
EITHER = (False, True)
ONLY_PAST = "only-in-the-past"
_FIVE_YEARS = 1826  # SORT: cancer within five years
_SEPSIS_WINDOW = timedelta(hours=48)  # NSQIP
_GRAVEST_FIRST = (("septic-shock", "septic-shock"), ("sepsis", "sepsis"), ("sirs", "sirs"))
_RANK = {"septic-shock": 0, "sepsis": 1, "sirs": 2, "none": 3}


def yes(name: str, source: str, when: Moment | None, flags: tuple[str, ...] = ()) -> Feature:
    """Present, with the resource that says so."""
    return Feature(
        name=name,
        status="used",
        value=True,
        model_value=True,
        time=when.time if when else None,
        date_only=when.date_only if when else False,
        source=source,
        flags=flags,
    )


@lru_cache(maxsize=1024)
def no(name: str, coverage: Coverage) -> Feature:
    """None recorded where every entry was seen and understood (DEC-37); else missing, and why: it could be either."""
    if coverage.gap:
        return Feature(name=name, status="missing", reason=coverage.gap, flags=coverage.flags, could_be=EITHER)
    return Feature(name=name, status="used", value=False, model_value=False, flags=coverage.flags)


def conflicting(name: str, source: str, coverage: Coverage) -> Feature:
    """Only a resource whose codings contradict each other speaks of it."""
    return Feature(
        name=name,
        status="conflicting",
        source=source,
        reason="two-concepts",
        flags=coverage.flags,
        could_be=EITHER,
    )


def present_by(name: str, matches: tuple[Diagnosis, ...], flags: tuple[str, ...] = ()) -> Feature:
    """Present, by the diagnosis known for the longest: the same one in whatever order they came."""
    first = min(matches, key=lambda one: (one.began.time.timestamp() if one.began else float("inf"), one.source))
    return yes(name, first.source, first.began, flags)


def present(name: str, idea: str, diagnoses: Diagnoses, coverage: Coverage, *, history: bool = False) -> Feature:
    """Whether a diagnosis of the idea is current, or with `history` ever was."""
    seen = diagnoses.seen(coverage, idea, current=not history)
    if idea not in diagnoses.by_idea:
        return no(name, seen)
    if matches := diagnoses.of(idea, current=not history):
        return present_by(name, matches, coverage.flags)
    if contradiction := diagnoses.contradicts(idea):
        return conflicting(name, contradiction, coverage)
    return _only_past(no(name, seen))


def _only_past(feature: Feature) -> Feature:
    """It is recorded as over, which is neither a yes nor "none recorded"."""
    return replace(feature, flags=(*feature.flags, ONLY_PAST)) if feature.usable else feature


def cancer(diagnoses: Diagnoses, coverage: Coverage, now: Clock) -> Feature:
    """Cancer in the sense of SORT, within five years: current at any date; else ended within 1826 days.

    A history code (Z85) counts only by its onset or abatement: when it was recorded is no date of the cancer.
    """
    if current := diagnoses.of("cancer"):
        recent = any(one.began and could_be_within(one.began, _FIVE_YEARS, now) for one in current)
        undated = any(one.began is None for one in current)
        flags = coverage.flags if recent or undated else (*coverage.flags, "over-five-years")
        return present_by("cancer", current, flags)
    past = diagnoses.of("cancer", current=False)
    recent_past = tuple(one for one in past if _ended_within_five_years(one, now))
    dated = tuple(
        one
        for one in diagnoses.of("cancer-history", current=False)
        if (when := one.abatement or one.onset) and could_be_within(when, _FIVE_YEARS, now)
    )
    if recent_past or dated:
        return present_by("cancer", recent_past + dated, (*coverage.flags, "history"))
    if contradiction := diagnoses.contradicts("cancer"):
        return conflicting("cancer", contradiction, coverage)
    seen = diagnoses.seen(
        coverage,
        *("cancer", "cancer-history"),
        could=lambda one: one.standing != "history" or _ended_within_five_years(one, now),
    )
    histories = diagnoses.of("cancer-history", current=False)
    vague = [one for one in past if one.may_end_any_day]
    vague += [one for one in histories if (one.abatement or one.onset) is None and one.is_vague]
    if vague and not seen.gap:
        return _when_unknown("cancer", vague[0], seen)
    return _only_past(no("cancer", seen)) if past or histories else no("cancer", seen)


def _when_unknown(name: str, one: Diagnosis, coverage: Coverage) -> Feature:
    """It hangs on when that was: told nowhere, or in words, as an age, or as no date of FHIR's."""
    return Feature(
        name=name,
        status="missing",
        source=one.source,
        reason="date-unreadable" if one.is_vague else "undated",
        flags=coverage.flags,
        could_be=EITHER,
    )


def _ended_within_five_years(one: Diagnosis, now: Clock) -> bool:
    return one.ended is not None and could_be_within(one.ended, _FIVE_YEARS, now)


def sepsis(diagnoses: Diagnoses, coverage: Coverage, now: Clock) -> Feature:
    """none, sirs, sepsis or septic-shock, the gravest that is current and began within 48 hours (NSQIP).

    A date alone: that day or the two before. Missing if only an undated one is current.
    """
    seen = diagnoses.seen(coverage, *_RANK, could=lambda one: _could_be_sepsis(one, now), current=True)
    undated: list[str] = []
    for idea, value in _GRAVEST_FIRST:
        current = diagnoses.of(idea)
        recent = [one for one in current if one.began and _began_within_48_h(one.began, now)]
        if recent:
            first = min(recent, key=lambda one: one.source)
            return _at_least(value, seen, first, undated)
        undated += [value] if any(one.began is None for one in current) else []
    return _at_least("none", seen, None, undated)


def _at_least(value: str, coverage: Coverage, one: Diagnosis | None, undated: list[str]) -> Feature:
    """The gravest that is known, unless something graver could hold: undated, or among what was not understood."""
    graver = [grade for _, grade in _GRAVEST_FIRST[: _RANK[value]]]
    gap = "undated" if undated else coverage.gap
    if not gap or not graver:
        return _sepsis(value, coverage, one)
    possible = graver if coverage.gap else undated
    return Feature(
        name="sepsis", status="missing", reason=gap, flags=coverage.flags, could_be=(value, *reversed(possible))
    )


def _could_be_sepsis(one: Diagnosis, now: Clock) -> bool:
    return one.standing != "history" and (one.began is None or _began_within_48_h(one.began, now))


def _began_within_48_h(began: Moment, now: Clock) -> bool:
    if began.precision == "time":
        return now.as_of - began.time <= _SEPSIS_WINDOW
    return could_be_within(began, 2, now)


def _sepsis(value: str, coverage: Coverage, one: Diagnosis | None) -> Feature:
    began = one.began if one else None
    return Feature(
        name="sepsis",
        status="used",
        value=value,
        model_value=value,
        time=began.time if began else None,
        date_only=began.date_only if began else False,
        source=one.source if one else None,
        flags=coverage.flags,
    )


def diabetes_treatment(diabetes: Feature, insulin: Feature) -> Feature:
    """none, without-insulin or insulin, as GSCRI and NSQIP ask; missing where diabetes or, with it, insulin is.

    `none` is no diabetes recorded: insulin without diabetes among the diagnoses is not read as diabetes.
    """
    lacking = next((one for one in (diabetes, insulin) if not one.usable), None)
    if diabetes.usable and diabetes.value is False:
        return _treatment("none", diabetes)
    if lacking is not None:
        treated = ("insulin",) if insulin.value is True else ("without-insulin",) if insulin.usable else _TREATED
        possible = treated if diabetes.value is True else ("none", *treated)
        return replace(lacking, name="diabetes_treatment", could_be=possible if lacking.could_be else ())
    return _treatment("insulin", insulin) if insulin.value else _treatment("without-insulin", diabetes)


_TREATED = ("without-insulin", "insulin")


def _treatment(value: str, by: Feature) -> Feature:
    return replace(by, name="diabetes_treatment", value=value, model_value=value)
