"""What is derived of one outcome: true, false or unknown, since when, how far it was followed, and why."""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

Unknown = Literal[
    "not-yet",
    "not-followed",
    "elsewhere",
    "no-stay",
    "stay-open",
    "stay-not-coded",
    "not-vouched",
    "onset-unknown",
    "not-confirmed",
    "death-day-unknown",
    "contradicted",
    "not-understood",
    "part-unknown",
]
Reason = Literal["recorded", "followed"] | Unknown

# In words, for the command and the page (docs/outcomes.md).
WORDS: dict[Reason, str] = {
    "recorded": "it is recorded",
    "followed": "the person was followed through the horizon, and nothing of it is recorded",
    "not-yet": "the horizon is not over on the day that is asked about",
    "not-followed": "no contact in person on the last day of the horizon or later",
    "elsewhere": "discharged within the horizon to another hospital, a nursing home, hospice or rehabilitation",
    "no-stay": "the stay or visit of the operation is not in the data",
    "stay-open": "the stay of the operation has no end in the data",
    "stay-not-coded": "no diagnosis that is understood belongs to the stay of the operation: nobody coded it",
    "not-vouched": "the site has not said that it always records such events as codes (--complete)",
    "onset-unknown": "it is recorded, and not on which day it began: it may have been there before the operation",
    "not-confirmed": "it is recorded as unconfirmed, provisional or differential",
    "death-day-unknown": "the person is dead, and the day is not known well enough",
    "contradicted": "the data contradict each other",
    "not-understood": "an entry that could be it was not understood, or could not be read",
    "part-unknown": "one of its parts is unknown, and none is true",
}
# What stands against an earlier "it did not happen": an entry that says, or may say, that it did.
OPEN_ENTRY: frozenset[Reason] = frozenset(
    {"onset-unknown", "not-confirmed", "death-day-unknown", "contradicted", "not-understood"}
)


class DerivedOutcome(Struct, frozen=True, kw_only=True):
    """`occurred`: None where it is unknown. `evidence`: the entries that decided. `days`: the length of stay.

    `observed_through`: the last day on which the person was certainly seen, or the day asked about once they are dead:
    nothing more can happen to them.
    """

    outcome: str
    occurred: bool | None
    why: Reason
    occurred_on: date | None = None
    observed_through: date | None = None
    evidence: tuple[str, ...] = ()
    days: int | None = None


def unknown(outcome: str, why: Unknown, through: date | None, evidence: tuple[str, ...] = ()) -> DerivedOutcome:
    """Nobody can say, and why."""
    return DerivedOutcome(outcome=outcome, occurred=None, why=why, observed_through=through, evidence=evidence)


def happened(outcome: str, day: date | None, through: date | None, evidence: tuple[str, ...]) -> DerivedOutcome:
    """It happened, on that day where the day is known; the person was followed at least until then."""
    until = max((one for one in (through, day) if one is not None), default=None)
    return DerivedOutcome(
        outcome=outcome, occurred=True, why="recorded", occurred_on=day, observed_through=until, evidence=evidence
    )


def did_not(outcome: str, through: date | None) -> DerivedOutcome:
    """It did not happen, as far as the person was followed."""
    return DerivedOutcome(outcome=outcome, occurred=False, why="followed", observed_through=through)
