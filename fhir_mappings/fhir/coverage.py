"""What a search for one kind of data came to: found, searched and none, cut short, failed, not all understood."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

NOT_UNDERSTOOD = "not-understood"


class Coverage(Struct, frozen=True, gc=False):
    """How far one kind of data was seen. `failure`: why it was not seen at all.

    `unclear`: entries that were not understood, of which `unclear_now` could tell of something current; any of them
    could mean anything (DEC-37). `ages`: of those of them whose time is known, how many days ago each was, the least
    first; `cut`: whether it was seen in part whatever was understood. `doubt`: why an entry that was understood leaves
    this one input open; that is told before what others leave open that were not.
    """

    failure: str | None = None
    truncated: bool = False
    partial: bool = False
    unclear: int = 0
    unclear_now: int = 0
    ages: tuple[float, ...] = ()
    cut: bool = False
    doubt: str = ""

    @property
    def gap(self) -> str | None:
        """Why the absence of a match proves nothing; None where it does (inputs 1.1)."""
        if self.failure:
            return self.failure
        if self.truncated:
            return "truncated"
        return self.doubt or (NOT_UNDERSTOOD if self.unclear else None)

    @property
    def of_current(self) -> Coverage:
        """The same for an input that only what is current could make true: an entry known to be over is no gap."""
        if self.unclear == self.unclear_now:
            return self
        return replace(self, unclear=self.unclear_now, ages=(), cut=False)

    def without(self, entries: int) -> Coverage:
        """The same for an input that so many of the entries that were not understood could not make true."""
        if not entries:
            return self
        left = max(0, self.unclear - entries)
        return replace(self, unclear=left, unclear_now=min(left, self.unclear_now), ages=(), cut=False)

    def in_doubt(self, why: str) -> Coverage:
        """The same for an input that an entry leaves open although it was understood."""
        return replace(self, doubt=self.doubt or why)

    def within(self, days: int) -> Coverage:
        """The same for an input that nothing makes true which is longer ago than so many days."""
        if not self.ages:
            return self
        left = max(0, self.unclear - len(self.ages) + bisect_right(self.ages, days))
        return replace(self, unclear=left, unclear_now=left, partial=self.partial if left else self.cut, ages=())

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
        sum(one.unclear for one in parts),
        sum(one.unclear_now for one in parts),
        doubt=next((one.doubt for one in parts if one.doubt), ""),
    )
