"""The lint itself can fail: it finds what it is there to find."""

from __future__ import annotations

import pytest

from tests.cds_service.advice.banned import banned_words, reading_grade


@pytest.mark.parametrize(
    "text", ["You must wait", "STOP the drug", "Unsafe", "A high-risk patient", "is caused by age"]
)
def test_a_banned_word_is_found_as_a_whole_word(text: str) -> None:
    assert banned_words(text)


@pytest.mark.parametrize("text", ["mustard", "a stop-smoking clinic", "the STOP-Bang questionnaire", "uncleared"])
def test_a_longer_word_or_a_name_is_not(text: str) -> None:
    assert banned_words(text) == []


def test_plain_words_read_easier_than_long_ones() -> None:
    assert reading_grade("The cat sat on the mat.") < 2
    assert reading_grade("Perioperative anticoagulation necessitates multidisciplinary deliberation.") > 15
