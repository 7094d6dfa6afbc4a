"""The detail of a card: short plain markdown, one fact per line; the numbers come first and the limits last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from cds_service.advice import blood_draw, by_class, known_unread, number_text
from cds_service.advice.assessment import Assessment
from cds_service.advice.options import Option
from cds_service.cards import added_text, drivers, estimate_text
from cds_service.cards.suggestions import sentence
from cds_service.hooks.context import InsteadOf
from fhir_mappings.features import reasons
from fhir_mappings.features.features import label_of
from fhir_mappings.fhir.coverage import NOT_UNDERSTOOD
from fhir_mappings.results.feature import Feature

_PARAGRAPH = "\n\n"
_NOTHING_ADDED: tuple[list[str], ...] = ([],)
# Whoever writes an order takes a card to be about it.
_ABOUT: dict[InsteadOf, str] = {
    "not-surgical": "**About the operation in the chart**, not about this order.",
    "unmapped-procedure": "**About the operation in the chart**; this order, in no code known here, was not judged.",
}
_LISTS = {
    "conditions": ("diagnosis", "diagnoses"),
    "medications": ("medicine", "medicines"),
    "procedures": ("procedure", "procedures"),
    "reports": ("report", "reports"),
}


class _Room(msgspec.Struct, frozen=True):
    """How much is told: so many reasons, findings that no figure reads and missing inputs by name.

    `whys`: why each of these is missing; "unusable": only of what is there and cannot be used; `source`: from whose
    data; `hangs`: on what a range hangs, beside each; `averages`: those of the fitted models; `twice`: the headline's
    usual figure, which the summary has told, in the list too; `days`: of findings that no figure reads.
    """

    reasons: int = 4
    findings: int = 4
    missing: int = 4  # R-B06
    whys: Literal["all", "unusable", "none"] = "all"
    source: bool = True
    hangs: bool = True
    averages: bool = True
    twice: bool = True
    days: bool = True


_LEAST = _Room(reasons=0, findings=1, missing=1, source=False, whys="none", hangs=False, averages=False, twice=False)
# From the most to the least. A finding or a missing input that is not named is counted.
_ROOMS = (
    _Room(),
    _Room(reasons=3),
    _Room(reasons=2),
    _Room(reasons=2, findings=3, missing=3),
    _Room(reasons=2, findings=2, missing=2),
    _Room(reasons=2, findings=2, missing=2, source=False),
    _Room(reasons=0, findings=2, missing=3, source=False),
    _Room(reasons=0, findings=2, missing=2, source=False),
    _Room(reasons=0, findings=2, missing=2, source=False, whys="unusable"),
    _Room(reasons=0, findings=2, missing=2, source=False, whys="unusable", hangs=False),
    _Room(reasons=0, findings=2, missing=1, source=False, whys="unusable", hangs=False),
    _Room(reasons=0, findings=2, missing=1, source=False, whys="unusable", hangs=False, averages=False),
    _Room(reasons=0, findings=1, missing=1, source=False, whys="unusable", hangs=False, averages=False),
    _Room(reasons=0, findings=1, missing=1, source=False, whys="unusable", hangs=False, averages=False, twice=False),
    _Room(reasons=0, findings=1, missing=2, source=False, whys="none", hangs=False, averages=False, twice=False),
    _LEAST,
    msgspec.structs.replace(_LEAST, days=False),
    msgspec.structs.replace(_LEAST, findings=0),
)


def write(
    assessment: Assessment,
    options: Sequence[Option] = (),
    *,
    limit: int,
    most_words: int = 75,
    more: int = 0,
    behind_link: bool = False,
    instead_of: InsteadOf | None = None,
) -> str:
    """At most `limit` characters and `most_words` words, options apart (R-A07); the rest stands in the risk profile.

    Every figure, what is missing or was not understood, and the limits are always told; how many reasons and findings
    are named depends on the room. Options without a button follow as long as there is room, the others are counted.
    What a site's own models say takes no words from the rest. `more`: options beyond those given; `behind_link`: the
    card has a link to the page that tells them; `instead_of`: why it is not about the order being written.
    """
    moving, known = drivers.of(assessment), known_unread.of(assessment)
    facts: list[str] = []
    added = added_text.wordings(assessment) if assessment.added else _NOTHING_ADDED
    for room in _ROOMS:
        beside = estimate_text.Beside(averages=room.averages, hangs=room.hangs, twice=room.twice)
        facts = [
            *_about(instead_of),
            *estimate_text.figures(assessment, beside),
            *drivers.line(moving[: room.reasons]),
            *_known(known if room.days else known_unread.of(assessment, dated=False), room.findings),
            *_missing(assessment, room.missing, whys=room.whys),
            *_not_understood(assessment, room.missing),
            *(_also_ordered(assessment) if instead_of is None else ()),
            *estimate_text.not_computable(assessment, whys=room.whys == "all"),
            estimate_text.validity(assessment, source=room.source),
        ]
        if _size([*facts, *added[-1]]) <= limit and number_text.words(" ".join(facts)) <= most_words:
            break
    own = next((lines for lines in added if _size([*facts, *lines]) <= limit), added[-1])
    told = _options(options, more, limit - _size([*facts, *own]), behind_link)
    return _PARAGRAPH.join([*facts[:-1], *own, *told, facts[-1]])[:limit]


def with_about(instead_of: InsteadOf | None, text: str) -> str:
    """A detail that is one text, after the line that says of which order it is."""
    return _PARAGRAPH.join([*_about(instead_of), text])


def _about(instead_of: InsteadOf | None) -> list[str]:
    return [_ABOUT[instead_of]] if instead_of is not None else []


def _options(options: Sequence[Option], more: int, room: int, behind_link: bool) -> list[str]:
    """As many as fit, each whole, of a blood draw its first tests, and how many are left."""
    whole = [sentence(option) for option in options]
    if not more and _size(whole) <= room:
        return whole
    left = more + sum(len(option.parts) or 1 for option in options)
    room -= _size([_more(left, behind_link)])
    kept = []
    for option in options:
        text, told = _that_fits(option, room)
        if told:
            kept.append(text)
            room -= _size([text])
            left -= told
    return [*kept, _more(left, behind_link)] if room >= 0 else []


def _that_fits(option: Option, room: int) -> tuple[str, int]:
    """The option in words, of a blood draw as many tests as there is room for; and how many that are, 0 for none."""
    fits: Option | None = option
    while fits is not None:
        if _size([text := sentence(fits)]) <= room:
            return text, len(fits.parts) or 1
        fits = blood_draw.shorter(fits)
    return "", 0


def _more(count: int, behind_link: bool) -> str:
    """The rest of the options stands behind the link; without one it is only counted (A-05)."""
    return f"**More options:** {count}, {'in the risk profile' if behind_link else 'not shown here'}."


def _size(parts: Sequence[str]) -> int:
    return sum(map(len, parts)) + len(_PARAGRAPH) * len(parts)


def _some(names: Sequence[str], most: int) -> str:
    """The first by name, the rest counted: "cancer, sepsis and 6 more"."""
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left} more" if left > 0 else "")


def _known(found: Sequence[str], most: int) -> list[str]:
    """What is in the record and in no figure of the card; where there is no room for any, how many."""
    told = _some(found, most) if most else f"{len(found)} finding{'s' if len(found) > 1 else ''}"
    return [f"**Known, in no figure above:** {told}."] if found else []


def _not_understood(assessment: Assessment, most: int) -> list[str]:
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
    hidden = [label_of(one.name, assessment.features) for one in assessment.unusable if _is_hidden(one)]
    return [f"{text}, so not known: {_some(hidden, most)}." if hidden else f"{text}."]


def _also_ordered(assessment: Assessment) -> list[str]:
    """How many orders of the session could be operations and are in no figure: of no group's code, or not understood.

    A card about the chart's operation says so of the order being written where it begins.
    """
    unread = sum(one.unread for one in assessment.procedure.unmapped)
    counts = ((len(assessment.procedure.unmapped) - unread, "of unknown code"), (unread, "not understood"))
    told = [f"{count} order{'s' * (count > 1)} {why}" for count, why in counts if count]
    return [f"**Also ordered, in no figure above:** {', '.join(told)}."] if told else []


def _is_hidden(feature: Feature) -> bool:
    """Whether it rests on a list of which an entry was not understood, which is told in a line of its own."""
    return feature.reason == NOT_UNDERSTOOD and bool(feature.could_be)


def _was_never_recorded(feature: Feature) -> bool:
    return feature.reason == "never-recorded"


def _missing(assessment: Assessment, most: int, *, whys: Literal["all", "unusable", "none"]) -> list[str]:
    """What is missing and why, those with one reason together; what it would change stands with the figures."""
    by_class_alone = whys == "none" and any(one.by_class for one in assessment.estimates)
    unusable = [
        one
        for one in assessment.unusable
        if not _is_hidden(one) and not (by_class_alone and one.name == by_class.INPUT)
    ]
    unusable.sort(key=_was_never_recorded)  # what is there and cannot be used is news
    why: dict[str, list[str]] = {}
    for feature in unusable[:most]:
        # "24 Jan 2026, older than 90 days": that it is a result goes without saying.
        words = reasons.words(feature).removeprefix("result of ")
        if whys == "none" or (whys == "unusable" and _was_never_recorded(feature)):
            words = ""
        why.setdefault(words, []).append(label_of(feature.name, assessment.features))
    named = [", ".join(names) + (f" ({words})" if words else "") for words, names in why.items()]
    left = len(unusable) - most
    if left > 0:
        named.append(f"{left} more")
    named += [f"{name} (not checked)" for name in assessment.unchecked]
    return [f"**Missing:** {'; '.join(named)}."] if named else []
