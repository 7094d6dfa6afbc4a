"""Remember what foreign text means, as long as it is short: a cache is bounded by its entries and by their length."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar, cast

F = TypeVar("F", bound=Callable[..., object])
# Longer than any code, unit or URI of a code system in use; a text beyond it is read again each time, at linear cost.
LONGEST = 256


def remembered(*, most: int, longest: int = LONGEST) -> Callable[[F], F]:
    """As lru_cache, for functions of texts (or None), but what is longer than `longest` characters is not kept."""

    def bounded(read: F) -> F:
        kept = lru_cache(maxsize=most)(read)

        @wraps(read)
        def remembering(*texts: str | None) -> object:
            for text in texts:
                if text is not None and len(text) > longest:
                    return read(*texts)
            return kept(*texts)

        return cast("F", remembering)

    return bounded
