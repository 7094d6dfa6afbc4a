"""A card's detail as HTML: paragraphs, bold and plain lists, which is all that cards use (DEC-20)."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_BOLD = re.compile(r"\*\*(.+?)\*\*")


def html(text: str) -> Markup:
    """The text escaped first, then its bold and its lists put back."""
    return Markup("").join(_block(block) for block in text.split("\n\n") if block.strip())


def _block(block: str) -> Markup:
    lines = block.strip().splitlines()
    if all(line.startswith("- ") for line in lines):
        items = Markup("").join(Markup("<li>{}</li>").format(_inline(line[2:])) for line in lines)
        return Markup("<ul>{}</ul>").format(items)
    return Markup("<p>{}</p>").format(Markup("<br>").join(_inline(line) for line in lines))


def _inline(line: str) -> Markup:
    return Markup(_BOLD.sub(r"<strong>\1</strong>", str(escape(line))))  # noqa: S704 — escaped just before
