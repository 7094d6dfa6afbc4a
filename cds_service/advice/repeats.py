"""Once, not again: whether the same card was shown to the same user a short while ago (R-B09, DEC-17).

Only the showing is governed: the estimate is made anew on every call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection

from cds_service.advice.assessment import Assessment

# The options still open of the same card if it was shown inside the tenant's window; None if it was not shown.
ShownBefore = Callable[[str], Collection[str] | None]


def never_shown(_key: str) -> None:
    """For tenants with a window of 0: whoever tries the service sees every card."""


def key(assessment: Assessment, *, patient_id: str, user_id: str) -> str:
    """One digest of patient, user, procedure group, told models with their versions, and bands.

    A card with another band, or made by another version of a model, has another key: it is news.
    """
    told = [(e.score.model, e.score.version, e.score.status, e.band) for e in assessment.estimates]
    parts = (patient_id, user_id, assessment.procedure.group, told)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def is_repeat(hook: str, open_before: Collection[str] | None, offered: Collection[str]) -> bool:
    """Whether the card was shown and says nothing new; at order-sign an option still open is worth a reminder."""
    if open_before is None:
        return False
    return not (hook == "order-sign" and set(open_before) & set(offered))
