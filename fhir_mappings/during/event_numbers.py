"""Which events of a Subscription are known to have been, and which of them were taken: what lies between is missing.

https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/notifications.html: events are numbered from 1 on, one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

# More islands than these are forgotten and asked for once more: what is taken twice changes nothing.
MOST_AHEAD = 64
Range = tuple[int, int]


class EventNumbers(Struct, frozen=True):
    """`told`: how many events there have been, as far as anybody said. `taken`: every one up to it was taken.

    `ahead`: ranges beyond `taken` that were taken too, in order, with a gap before each.
    """

    told: int = 0
    taken: int = 0
    ahead: tuple[Range, ...] = ()

    @property
    def missing(self) -> tuple[Range, ...]:
        """The ranges that were told of and not taken, in order."""
        found, after = [], self.taken
        for first, last in self.ahead:
            found.append((after + 1, first - 1))
            after = last
        if after < self.told:
            found.append((after + 1, self.told))
        return tuple(found)

    def with_told(self, number: int) -> EventNumbers:
        """Somebody said that there have been so many."""
        return EventNumbers(max(self.told, number), self.taken, self.ahead)

    def with_taken(self, numbers: Iterable[Range]) -> EventNumbers:
        """These were taken, whatever was before."""
        ranges = [one for one in numbers if one[0] <= one[1]]
        if not ranges:
            return self
        joined = _joined([(1, self.taken), *self.ahead, *ranges])
        taken = joined[0][1] if joined[0][0] <= 1 else 0
        ahead = tuple(one for one in joined if one[0] > taken + 1)[:MOST_AHEAD]
        return EventNumbers(max(self.told, joined[-1][1]), taken, ahead)


def _joined(ranges: Sequence[Range]) -> list[Range]:
    """In order; those that touch are one."""
    found: list[Range] = []
    for first, last in sorted(one for one in ranges if one[0] <= one[1]):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found
