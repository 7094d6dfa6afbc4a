"""Foreign text in a table that people open with a spreadsheet, which would run some of it as a formula."""

from __future__ import annotations

import re

_BREAKS = re.compile(r"[\t\r\n\v\f\x85\u2028\u2029]")
_FORMULA = frozenset("=+-@＝＋－＠")


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula, on one line.

    Source: OWASP, https://owasp.org/www-community/attacks/CSV_Injection, which names `=`, `+`, `-`, `@`,
    tab, carriage return, line feed and the full-width forms of the first four.
    """
    line = _BREAKS.sub(" ", text)
    return f"'{line}" if line.lstrip()[:1] in _FORMULA else line
