"""The detail of a card: short plain markdown in which the numbers come first and the limits last."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.advice import drivers, naming, telling, wording
from cds_service.advice.assessment import Assessment
from cds_service.advice.options import Option
from cds_service.advice.suggestions import sentence
from fhir_mappings import reasons
from fhir_mappings.features import FEATURES

_NAMED_MISSING = 4  # R-B06
_PARAGRAPH = "\n\n"
_ABSENT = (False, "none")  # searched for and not found


def write(assessment: Assessment, options: Sequence[Option] = (), *, limit: int) -> str:
    """At most `limit` characters (R-A07). What cannot be left out is kept, the rest added as long as there is room.

    Kept: the headline, what it goes with, what is missing, the limits. Then, in this order: options without a
    button, the other outcomes, those that are not computable, the other inputs used.
    """
    reasons_for_it = drivers.of(assessment)
    head = [*_headline(assessment), *drivers.lines(reasons_for_it)]
    missing, limits = _missing(assessment), _limits(assessment)
    room = limit - sum(len(part) + len(_PARAGRAPH) for part in (*head, *missing, limits))
    chosen, room = _fitting([sentence(option) for option in options], room)
    others, room = _fitting(_others(assessment), room)
    lacking, room = _fitting(telling.not_computable(assessment.estimates, assessment.features), room)
    used = _used(assessment, {one.name for one in reasons_for_it}, room)
    return _PARAGRAPH.join([*head, *others, *lacking, *missing, *chosen, *used, limits])[:limit]


def _fitting(parts: Sequence[str], room: int) -> tuple[list[str], int]:
    """Those that fit, each whole, and the room that is left."""
    kept = []
    for part in parts:
        if len(part) + len(_PARAGRAPH) <= room:
            kept.append(part)
            room -= len(part) + len(_PARAGRAPH)
    return kept, room


def _headline(assessment: Assessment) -> list[str]:
    return [telling.estimate(assessment, assessment.headline)] if assessment.headline is not None else []


def _others(assessment: Assessment) -> list[str]:
    """The other outcomes that have an answer; those with a probability before those with points."""
    answering = [
        told
        for told in assessment.estimates
        if told is not assessment.headline and told.score.status in ("computed", "score-only")
    ]
    answering.sort(key=lambda told: told.score.status != "computed")
    return [telling.estimate(assessment, told) for told in answering]


def _missing(assessment: Assessment) -> list[str]:
    unusable = assessment.unusable
    named = [f"{FEATURES[f.name].label} ({reasons.words(f)})" for f in unusable[:_NAMED_MISSING]]
    more = len(unusable) - len(named)
    named += [f"{name} (not checked)" for name in assessment.unchecked]
    if not named:
        return []
    return [f"**Missing:** {'; '.join(named)}{f'; and {more} more' if more else ''}."]


def _used(assessment: Assessment, already_told: set[str], room: int) -> list[str]:
    """The other inputs used, as many as fit; what was searched for and not found in one clause (DEC-29)."""
    told = already_told | {"procedure_group", "urgency"}
    rest = [feature for feature in assessment.usable if feature.name not in told]
    parts = [naming.feature(feature, assessment.today) for feature in rest if feature.value not in _ABSENT]
    if absent := [FEATURES[feature.name].label for feature in rest if feature.value in _ABSENT]:
        parts.append(f"none recorded: {', '.join(absent)}")
    room -= len("**Also used:**  and 99 more." + _PARAGRAPH)
    kept: list[str] = []
    for part in parts:
        if len("; ".join([*kept, part])) > room:
            break
        kept.append(part)
    if not kept:
        return []
    cut = len(parts) - len(kept)
    return [f"**Also used:** {'; '.join(kept)}{f'; and {cut} more' if cut else ''}."]


def _limits(assessment: Assessment) -> str:
    models = ", ".join(
        f"{told.score.model} {told.score.version}"
        for told in assessment.estimates
        if told.score.status in ("computed", "score-only")
    )
    return (
        "For clinicians planning elective surgery in adults. Informs, does not direct."
        " Not calibrated for this hospital."
        f" Data as of {wording.minute(assessment.as_of, assessment.zone)}." + (f" Models: {models}." if models else "")
    )
