"""A card as a person reads it in a terminal; plain text, at most 78 columns."""

from __future__ import annotations

import textwrap
from typing import Any

WIDTH = 78
_ITEM = "- "


def write(answer: dict[str, Any]) -> str:
    """Every card of the answer, or why there is none where the service tells."""
    cards = answer.get("cards", [])
    if not cards:
        return f"No card.{_silence(answer)}"
    return "\n\n".join(_card(card) for card in cards)


def _silence(answer: dict[str, Any]) -> str:
    for told in (answer.get("extension") or {}).values():
        if isinstance(told, dict) and "text" in told:
            return f" {told['text']} ({told['reason']})"
    return ""


def _card(card: dict[str, Any]) -> str:
    rule = "─" * WIDTH
    parts = [rule, *_wrapped(f"[{card['indicator'].upper()}] {card['summary']}"), rule]
    for paragraph in card.get("detail", "").split("\n\n"):
        parts += [*_paragraph(_plain(paragraph)), ""]
    for suggestion in card.get("suggestions", []):
        parts += _wrapped(f"[ ] {suggestion['label']}")
    for link in card.get("links", []):
        parts += _wrapped(f"{link['label']}: {link['url']}")
    source = card["source"]
    return "\n".join([*parts, *_wrapped(f"Source: {source['label']}"), rule])


def _paragraph(text: str) -> list[str]:
    """A list keeps its lines: what does not fit into one goes on below its own words, not below the dash."""
    lines = []
    for line in text.split("\n"):
        lines += _wrapped(line, further="  " if line.startswith(_ITEM) else "")
    return lines


def _plain(markdown: str) -> str:
    return markdown.replace("**", "")


def _wrapped(text: str, *, further: str = "") -> list[str]:
    """`further`: what each line but the first begins with."""
    folded = textwrap.wrap(text, WIDTH, subsequent_indent=further, break_long_words=False, break_on_hyphens=False)
    return folded or [""]
