"""What a search for one kind of data came to: found, searched and none, cut short, failed, unreadable."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct


class Coverage(Struct, frozen=True, gc=False):
    """How far one kind of data was seen. `failure`: why it was not seen at all."""

    failure: str | None = None
    truncated: bool = False
    partial: bool = False
    unreadable: bool = False

    @property
    def gap(self) -> str | None:
        """Why the absence of a match proves nothing; None where it does (inputs 1.1)."""
        if self.failure:
            return self.failure
        if self.truncated:
            return "truncated"
        return "unreadable" if self.unreadable else None

    @property
    def flags(self) -> tuple[str, ...]:
        """What is told beside a match."""
        flags = ("truncated",) if self.truncated else ()
        return (*flags, "partial") if self.partial else flags


NOT_PROVIDED = Coverage(failure="not-provided")


@lru_cache(maxsize=256)
def together(parts: tuple[Coverage, ...]) -> Coverage:
    """Several searches of which a match may come from any: the first gap counts, the flags add up."""
    return Coverage(
        next((one.failure for one in parts if one.failure), None),
        any(one.truncated for one in parts),
        any(one.partial for one in parts),
        any(one.unreadable for one in parts),
    )
