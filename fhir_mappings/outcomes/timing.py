"""When a recorded diagnosis or procedure was, beside an operation: before it, within the horizon, after it, or unknown.

The rules of docs/outcomes.md, one function each; the day of the operation counts as within the horizon.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from fhir_mappings.fhir.dates import Moment
from fhir_mappings.outcomes.followed_person import DatedDiagnosis, FollowedPerson
from fhir_mappings.outcomes.operated import Operated
from fhir_mappings.outcomes.stays import Stay

Place = Literal["before", "within", "beyond", "unclear"]
# https://terminology.hl7.org/CodeSystem-diagnosis-role.html
_THERE_BEFORE, _AFTERWARDS = frozenset({"AD", "pre-op"}), frozenset({"post-op"})


class Placed(Struct, frozen=True):
    """Where it lies, and on which day, where that is known."""

    place: Place
    day: date | None = None


BEFORE, BEYOND, UNCLEAR = Placed("before"), Placed("beyond"), Placed("unclear")


def window_ends(of: Operated, days: int) -> date:
    """The last day of the horizon."""
    return of.day + timedelta(days=days)


def of_diagnosis(
    one: DatedDiagnosis, person: FollowedPerson, of: Operated, *, last: date, postoperative: bool
) -> Placed:
    """Where the beginning of a diagnosis lies.

    `postoperative`: its code means that it followed an operation. The role in the stay of the operation says the same,
    or the opposite ("admission diagnosis"). Where the two are at odds, it may have followed an earlier operation.
    """
    if one.abatement is not None and one.abatement.last < of.day:
        return BEFORE
    roles = of.stay.roles.get(one.condition.id or "", frozenset()) if of.stay is not None else frozenset()
    postoperative = postoperative or bool(roles & _AFTERWARDS)
    if one.onset is not None:
        found = _by_onset(one.onset, of, last, postoperative)
    elif one.recorded is not None:
        found = _by_recording(one, one.recorded, person, of, last=last, postoperative=postoperative)
    else:
        found = UNCLEAR
    if not roles & _THERE_BEFORE or found.place in ("before", "beyond"):
        return found
    return UNCLEAR if postoperative else BEFORE


def _by_onset(onset: Moment, of: Operated, last: date, postoperative: bool) -> Placed:
    if (outside := _outside(onset, of, last)) is not None:
        return outside
    if onset.whole_date and onset.first > of.day:
        return Placed("within", onset.first)
    if onset.whole_date:
        return _on_the_day(onset, of, postoperative)
    if onset.last > last:
        return UNCLEAR
    return Placed("within") if onset.first > of.day or postoperative else UNCLEAR


def _outside(when: Moment, of: Operated, last: date) -> Placed | None:
    if when.last < of.day:
        return BEFORE
    return BEYOND if when.first > last else None


def _on_the_day(when: Moment, of: Operated, postoperative: bool) -> Placed:
    """On the day of the operation the hour decides, or the code itself."""
    if postoperative:
        return Placed("within", of.day)
    if when.date_only or of.begun.date_only:
        return UNCLEAR
    return Placed("within", of.day) if when.time >= of.begun.time else BEFORE


def _by_recording(
    one: DatedDiagnosis, recorded: Moment, person: FollowedPerson, of: Operated, *, last: date, postoperative: bool
) -> Placed:
    """Where only the day of recording is known, it began on that day or earlier.

    Recorded on a day between the operation and the discharge, or in a stay that began after the operation, it counts
    on that day. Recorded from the discharge on, it may have been there before.
    """
    if recorded.last < of.day:
        return BEFORE
    later = _later_stay(one, person, of)
    if later is not None and later.start is not None and later.start.first > last:
        return BEYOND
    if not recorded.whole_date or recorded.first > last:
        in_this_stay = postoperative and later is None and _belongs(one, of.stay) and _ended_by(of.stay, last)
        return Placed("within") if in_this_stay else UNCLEAR
    if postoperative:
        return Placed("within", recorded.first)
    if recorded.first == of.day:
        return UNCLEAR
    during = of.stay is not None and of.stay.end is not None and recorded.first < of.stay.end.first
    return Placed("within", recorded.first) if during or later is not None else UNCLEAR


def _belongs(one: DatedDiagnosis, stay: Stay | None) -> bool:
    return stay is not None and (one.encounter == stay.id or (one.condition.id or "") in stay.roles)


def _ended_by(stay: Stay | None, last: date) -> bool:
    return stay is not None and stay.end is not None and stay.end.last <= last


def _later_stay(one: DatedDiagnosis, person: FollowedPerson, of: Operated) -> Stay | None:
    """The stay that the diagnosis belongs to, where it began on a day after that of the operation."""
    named = [other for other in person.stays if other.certain and _belongs(one, other)]
    later = [other for other in named if other.start is not None and other.start.first > of.day]
    return later[0] if later and len(later) == len(named) else None


def of_procedure(when: Moment | None, of: Operated, *, first: date, last: date) -> Placed:
    """Where a procedure lies that counts from the day `first` on; on the day of the operation the hour decides."""
    if when is None:
        return UNCLEAR
    if when.last < first:
        return BEFORE
    if when.first > last:
        return BEYOND
    if not when.whole_date:
        return Placed("within") if when.first >= first and when.last <= last else UNCLEAR
    timed = not when.date_only and not of.begun.date_only
    if when.first == of.day and timed and when.time < of.begun.time:
        return BEFORE
    return Placed("within", when.first)
