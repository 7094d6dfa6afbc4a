"""As many dots are filled as the words say; what is not known is drawn as rings, and under 1 as nobody."""

from __future__ import annotations

import pytest

from cds_service.pages import icon_array
from models_onnx.score import Range


def dots(picture: str, kind: str) -> int:
    path = picture.partition(f'class="{kind}" d="')[2].partition('"')[0]
    return path.count("M")


@pytest.mark.parametrize(
    ("low", "high", "of", "filled", "rings", "words"),
    [
        (0.26, 0.26, 100, 26, 0, "26 of 100"),
        (0.157, 0.273, 1000, 157, 116, "157 to 273 of 1,000"),
        (0.0004, 0.043, 1000, 0, 43, "under 1 to 43 of 1,000"),
        (0.0004, 0.0006, 1000, 0, 0, "under 1 of 1,000"),
        (1.0, 1.0, 1000, 1000, 0, "1000 of 1,000"),
    ],
)
def test_the_dots_are_as_many_as_the_words_say(
    low: float, high: float, of: int, filled: int, rings: int, words: str
) -> None:
    found = icon_array.array("Usual", Range(low, high), of)
    assert (dots(found.picture, "icon-filled"), dots(found.picture, "icon-possible")) == (filled, rings)
    assert dots(found.picture, "icon-rest") == of - filled - rings
    assert found.caption == f"Usual: {words}"
    assert f'aria-label="Usual: {words} people"' in found.picture
