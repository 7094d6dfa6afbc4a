"""Whether anything is read of an operation that runs or has ended: the mode table of docs/during.md as one rule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from cds_service.tenants.tenant import Environment
from cds_service.tenants.tenant_parts import During

# A clock that is a day off is another fault than one that drifts; a hospital has some hundred monitors.
MOST_AHEAD_S, MOST_CLOCKS, _MOST_CHARACTERS = 86_400.0, 1_000, 256
What = Literal["nothing", "summary", "course"]
_SHOWING = ("closed-case", "live")
NOT_FOR_PRODUCTION = (
    "not yet for production: its artefact rules, the end of a case and who may look have to be reviewed by clinicians"
    " first"
)
OFF, CASE_OPEN, GATES_CLOSED, NOT_CLEARED = "off", "case-open", "gates-closed", "device-not-cleared"


class DuringAnswer(Struct, frozen=True):
    """What may be shown of a case, and why it is not more ("" where nothing is held back)."""

    what: What
    reason: str = ""


def may_show(during: During, environment: Environment, *, gates_open: bool, ended: bool) -> DuringAnswer:
    """What the mode table allows of one case.

    `gates_open`: whether this tenant may speak at all (answering/gate.py) and, in production, has its local
    validation. `ended`: whether the end of the case is recorded; one that nobody recorded has not come.
    """
    if during.mode not in _SHOWING:
        return DuringAnswer("nothing", OFF)
    if not gates_open:
        return DuringAnswer("nothing", GATES_CLOSED)
    if during.mode == "live" and (environment != "production" or during.device_cleared is not None):
        return DuringAnswer("course")
    if not ended:
        return DuringAnswer("nothing", NOT_CLEARED if during.mode == "live" else CASE_OPEN)
    return DuringAnswer("summary", NOT_CLEARED if during.mode == "live" else "")


def reads(during: During, environment: Environment) -> bool:
    """Whether the mode lets anything be read at all."""
    return may_show(during, environment, gates_open=True, ended=True).reason != OFF


def complaint(during: During, environment: Environment) -> str:
    """What is wrong with this member of a tenant's file, or "": a production tenant reads nothing of an operation yet.

    Why: docs/during.md, "Not yet for production".
    """
    cleared = during.device_cleared
    if cleared is not None and not all(
        text.strip() for text in (cleared.authority, cleared.number, cleared.approved_by)
    ):
        return "device_cleared: authority, number and approved_by each say something"
    if wrong := _wrong_clock(during.clock_offsets):
        return wrong
    if during.mode != "off" and environment == "production":
        return f"mode {during.mode}: {NOT_FOR_PRODUCTION}"
    return ""


def _wrong_clock(offsets: Mapping[str, float]) -> str:
    if len(offsets) > MOST_CLOCKS:
        return f"clock_offsets: at most {MOST_CLOCKS}"
    for device, ahead in offsets.items():
        if not device.strip() or len(device) > _MOST_CHARACTERS:
            return f"clock_offsets: a device is named by 1 to {_MOST_CHARACTERS} characters"
        if not math.isfinite(ahead) or abs(ahead) > MOST_AHEAD_S:
            return f"clock_offsets: {device}: within {MOST_AHEAD_S:.0f} seconds, a day"
    return ""
