"""What is said of an input in words is true of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from cds_service.validation import missing_inputs


@pytest.mark.parametrize(
    ("n", "known", "number", "words"),
    [
        (15, 7, None, ""),
        (9, 5, None, ""),
        (39, 0, None, ""),
        (40, 9, None, "none"),
        (40, 31, None, "all"),
        (40, 10, 10, ""),
        (400, 200, 200, ""),
    ],
)
def test_nearly_all_and_nearly_none_are_said_of_many_only(n: int, known: int, number: int | None, words: str) -> None:
    used, missing = (SimpleNamespace(status=status, reason="") for status in ("used", "missing"))
    of: Any = [SimpleNamespace(inputs={"age": used if k < known else missing}) for k in range(n)]
    (found,) = missing_inputs.inputs(cast("Any", of), ["age"])
    assert (found.n, found.known, found.nearly) == (n, number, words)
