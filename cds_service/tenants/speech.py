"""What a call's card hung on, as the record keeps it: each risk that was judged, and whether a finding opened it.

With it anybody can tell what other floors and warning limits would have done, whatever was shown (DEC-39).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cds_service.tenants import speaking


class JudgedRisk(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One outcome: what a card opens by, what a warning rests on, and how often it happens after the operation.

    `frequency`: which warning limit holds for it; "none" where it may not head a card, or has no figure.
    """

    outcome: str
    figure: float
    least: float
    usual: float | None
    frequency: str


class Speech(msgspec.Struct, frozen=True, gc=False):
    """Everything that floors and warning limits decide on. `opened`: a finding opens the card by itself."""

    risks: tuple[JudgedRisk, ...]
    opened: bool

    def warns(self, rare: float, common: float) -> bool:
        """Whether its card would be a warning with these limits."""
        limits = {"rare": rare, "common": common}
        return any(
            speaking.reaches(one.least, limits[one.frequency], usual=one.usual, ratio=speaking.WARNING_RATIO)
            for one in self.risks
            if one.frequency in limits
        )

    def reaches(self, floors: Mapping[str, float]) -> bool:
        """Whether a risk reaches its floor; all floors 0: always."""
        return not any(floors.values()) or any(
            speaking.reaches(one.figure, floors[one.outcome], usual=one.usual, ratio=speaking.CARD_RATIO)
            for one in self.risks
            if one.outcome in floors
        )

    def speaks(self, floors: Mapping[str, float], *, rare: float, common: float) -> bool:
        """Whether there would be a card with these floors and warning limits."""
        return self.opened or self.warns(rare, common) or self.reaches(floors)
