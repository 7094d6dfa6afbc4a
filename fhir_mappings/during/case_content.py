"""What is kept of a case, as text: the store gives it, the course is made of it."""

from __future__ import annotations

from msgspec import Struct


class CaseContent(Struct, frozen=True):
    """What was kept of each kind, in an order that does not depend on that of arrival. `refused` did not fit.

    `missed`: something of it may never have come.
    """

    observations: tuple[str, ...]
    times: tuple[str, ...]
    births: tuple[str, ...] = ()
    refused: int = 0
    missed: bool = False
