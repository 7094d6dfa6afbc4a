"""The detail of a card: short plain markdown in which the numbers come first and the limits last."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.advice import drivers, naming, telling, wording
from cds_service.advice.assessment import Assessment
from cds_service.advice.options import Option
from cds_service.advice.suggestions import sentence
from fhir_mappings import reasons
from fhir_mappings.coverage import NOT_UNDERSTOOD
from fhir_mappings.feature import Feature
from fhir_mappings.features import FEATURES

_NAMED_MISSING = 4  # R-B06
_PARAGRAPH = "\n\n"
_NEVER_TOLD = {"procedure_group", "urgency"}
_WIDE = 1000  # characters from which a panel is no narrow one
_ROOM_FOR_THE_REST = 200  # characters that a list of what is not there leaves for an option or an outcome


def write(
    assessment: Assessment, options: Sequence[Option] = (), *, limit: int, more: int = 0, behind_link: bool = False
) -> str:
    """At most `limit` characters (R-A07). What cannot be left out is kept, the rest added as long as there is room.

    Kept: the headline, what it goes with, what is missing, the limits. Then, in this order: how many options are not
    told, the first option without a button, what was searched for and is not recorded (DEC-29), the other
    probabilities, the other options, points, what is not computable, the other inputs used. A narrow panel has the
    other probabilities in one line before all else: one risk never stands alone (R-A05).
    `more`: options beyond those given; `behind_link`: the card has a link to the page that tells them.
    """
    reasons_for_it = drivers.of(assessment)
    already_told = {one.name for one in reasons_for_it}
    head = [*_headline(assessment), *drivers.lines(reasons_for_it)]
    narrow = limit < _WIDE
    missing = [*_not_understood(assessment), *_missing(assessment)]
    limits = _limits(assessment, only_headline=narrow)
    room = limit - _size([*head, *missing, limits])
    told = [sentence(option) for option in options]
    may_be_left = more or len(told) > 1 or len("".join(told)) + len(_PARAGRAPH) > room
    uncounted, room = _fitting([_more(more + len(told), behind_link)] if may_be_left else [], room)
    probabilities, room = _fitting(telling.in_short(assessment.others) if narrow else [], room)
    first, room = _fitting(told[:1], room)
    absent, room = _fitting(_none_recorded(assessment, already_told, room), room)
    if not narrow:
        probabilities, room = _fitting(_others(assessment, points=False), room)
    others, room = _fitting(told[1:], room)
    points, room = _fitting(_others(assessment, points=True), room)
    lacking, room = _fitting(telling.not_computable(assessment.estimates, assessment.features), room)
    left = more + len(told) - len(first) - len(others)
    counted = [_more(left, behind_link)] if uncounted and left else []
    used = _used(assessment, already_told, room + sum(map(len, uncounted)) - sum(map(len, counted)))
    estimates = (*probabilities, *points, *lacking)
    return _PARAGRAPH.join([*head, *estimates, *missing, *first, *others, *counted, *used, *absent, limits])[:limit]


def _more(count: int, behind_link: bool) -> str:
    """The rest of the options stands behind the link; without one it is only counted (A-05)."""
    return f"**More options:** {count}, {'in the risk profile' if behind_link else 'not shown here'}."


def _size(parts: Sequence[str]) -> int:
    return sum(len(part) + len(_PARAGRAPH) for part in parts)


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


def _others(assessment: Assessment, *, points: bool) -> list[str]:
    """The other outcomes that have a probability, or points."""
    return [
        telling.estimate(assessment, told)
        for told in assessment.estimates
        if told is not assessment.headline and (told.score.has_points if points else told.score.has_figure)
    ]


_LISTS = {
    "conditions": ("diagnosis", "diagnoses"),
    "medications": ("medicine", "medicines"),
    "procedures": ("procedure", "procedures"),
    "reports": ("report", "reports"),
}


def _not_understood(assessment: Assessment) -> list[str]:
    """In one line how many entries were not understood, and which inputs are not known for that (DEC-38)."""
    missed = assessment.not_understood
    if not missed.entries:
        return []
    lists = [
        f"{one.entries} of {one.read} {_LISTS[key][one.read > 1]}" for key, one in missed.lists.items() if one.entries
    ]
    text = f"**Not understood in the record:** {' and '.join(lists)}"
    if missed.counted_as_absent:
        return [f"{text}; this hospital counts such entries as absent."]
    hidden = [FEATURES[one.name].label for one in assessment.unusable if _is_hidden(one)]
    more = len(hidden) - _NAMED_MISSING
    names = ", ".join(hidden[:_NAMED_MISSING]) + (f" and {more} more" if more > 0 else "")
    return [f"{text}, so not known: {names}." if hidden else f"{text}."]


def _is_hidden(feature: Feature) -> bool:
    """Whether it rests on a list of which an entry was not understood, which is told in a line of its own."""
    return feature.reason == NOT_UNDERSTOOD and bool(feature.could_be)


def _missing(assessment: Assessment) -> list[str]:
    unusable = [one for one in assessment.unusable if not _is_hidden(one)]
    named = [f"{FEATURES[f.name].label} ({reasons.words(f)})" for f in unusable[:_NAMED_MISSING]]
    more = len(unusable) - len(named)
    named += [f"{name} (not checked)" for name in assessment.unchecked]
    if not named:
        return []
    return [f"**Missing:** {'; '.join(named)}{f'; and {more} more' if more else ''}."]


def _is_absent(feature: Feature) -> bool:
    """Searched for and not found; what somebody answered with no has a source, and is told as an answer."""
    return feature.value in (False, "none") and feature.source is None


def _none_recorded(assessment: Assessment, already_told: set[str], room: int) -> list[str]:
    """What a search looked for and did not find: all of it by name, or counted where there is no room."""
    told = already_told | _NEVER_TOLD
    absent = [one for one in assessment.usable if _is_absent(one) and one.name not in told]
    if not absent:
        return []
    named = f"**None recorded:** {', '.join(FEATURES[one.name].label for one in absent)}."
    return [named if len(named) + _ROOM_FOR_THE_REST <= room else f"**None recorded:** {len(absent)} of the inputs."]


def _used(assessment: Assessment, already_told: set[str], room: int) -> list[str]:
    """The other inputs used that have a value, as many as fit."""
    told = already_told | _NEVER_TOLD
    rest = [one for one in assessment.usable if one.name not in told and not _is_absent(one)]
    room -= len("**Also used:**  and 99 more." + _PARAGRAPH)
    kept: list[str] = []
    for feature in rest:
        part = naming.feature(feature, assessment.today)
        room -= len(part) + (len("; ") if kept else 0)
        if room < 0:
            break
        kept.append(part)
    if not kept:
        return []
    cut = len(rest) - len(kept)
    return [f"**Also used:** {'; '.join(kept)}{f'; and {cut} more' if cut else ''}."]


def _limits(assessment: Assessment, *, only_headline: bool) -> str:
    """For whom, what it is not, as of when, by which models; a narrow panel names the headline's."""
    models = ", ".join(
        f"{told.score.model} {told.score.version}"
        for told in assessment.estimates
        if (told.score.has_figure or told.score.has_points) and (told is assessment.headline or not only_headline)
    )
    return (
        "For clinicians planning elective surgery in adults. Informs, does not direct."
        f" {telling.calibration(assessment)}"
        f" Data as of {wording.minute(assessment.as_of, assessment.zone)}."
        + (f" {'Model' if only_headline else 'Models'}: {models}." if models else "")
    )
