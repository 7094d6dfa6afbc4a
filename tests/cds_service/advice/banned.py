"""What no card says (R-A04, DEC-24, R-B19), what no row suggests (never-suggest 4 to 9), and how hard a text reads."""

from __future__ import annotations

import re

_BANNED = (
    "must", "stop", "cancel", "postpone", "do not operate", "unsafe", "contraindicated", "cleared", "safe to proceed",
    "high risk patient", "high-risk patient", "because of", "caused by", "will reduce", "delay surgery", "should",
)  # fmt: skip
# "stop-smoking clinic" and STOP-Bang are names of things, not directions.
_NAMES = re.compile(r"stop-smoking|STOP-Bang")

# Never-suggest 2, 4, 5, 6 and 9.
NEVER_SAID = (
    r"stress test|echocardiogra|MRSA|wean|bisphosphonate|\bhold\b|discontinue|cancel|postpone|delay|"
    r"change the dose|dose change|weight loss|lose weight|BMI too high|obes"
)


def banned_words(text: str) -> list[str]:
    """The banned words that stand in a text as whole words."""
    text = _NAMES.sub("", text)
    return [word for word in _BANNED if re.search(rf"\b{re.escape(word)}\b", text, re.I)]


def reading_grade(text: str) -> float:
    """Flesch-Kincaid grade level, US school years. Source: Kincaid JP et al. 1975, Naval Research Branch Report 8-75.

    Numbers, units and names in brackets are left out: the formula is for words. Each line is at least a sentence.
    """
    text = re.sub(r"\([^)]*\)", "", text).replace("*", "")
    sentences = [one for one in re.split(r"[.:;\n]+(?=\s|$)", text) if re.search("[A-Za-z]", one)]
    words = [word for one in sentences for word in re.findall(r"[A-Za-z]+", one)]
    syllables = sum(_syllables(word) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


def _syllables(word: str) -> int:
    word = word.lower()
    groups = len(re.findall(r"[aeiouy]+", word))
    if word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1:
        groups -= 1
    return max(groups, 1)
