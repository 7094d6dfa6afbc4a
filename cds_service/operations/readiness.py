"""Whether this worker should be sent calls: each part that it needs, with the reason where it cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from cds_service.operations.drain import OF_THIS_NODE

OK = "ok"
# Why a part cannot be used, in words for an operator; None where it can.
Trouble = Callable[[], str | None]


class Readiness(msgspec.Struct, frozen=True):
    """What is wrong with which part; `refusing`: the parts without which no call is answered."""

    parts: Mapping[str, str]
    refusing: tuple[str, ...]
    draining: bool

    @property
    def is_ready(self) -> bool:
        """Whether calls should come here."""
        return not self.refusing and not self.draining

    @property
    def status(self) -> str:
        """In one word."""
        return "draining" if self.draining else "not-ready" if self.refusing else "ready"


def asked(needed: Mapping[str, Trouble], helpful: Mapping[str, Trouble]) -> Readiness:
    """How every part is now; without a helpful one the service is poorer, and says so, but answers."""
    found = {name: trouble() for name, trouble in needed.items()}
    parts = {name: why or OK for name, why in found.items()}
    parts |= {name: trouble() or OK for name, trouble in helpful.items()}
    return Readiness(parts, tuple(name for name, why in found.items() if why), OF_THIS_NODE.has_begun)
