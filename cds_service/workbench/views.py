"""One answer as the workbench shows it: the card in three dialects, the result behind it, or why there is none."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup

from cds_service.cards.cards import EXTENSION
from cds_service.cards.dialects import DIALECTS, adapt
from cds_service.hooks.card import Card, CardsResponse
from cds_service.pages import bars, markdown, result
from cds_service.pages.result import ResultRows
from cds_service.workbench.exchange import Exchange

# What each EHR does with a card that is worth knowing when looking at it; from the vendors' own texts.
DIALECT_NOTES = {
    "generic": "As CDS Hooks 2.0 describes it.",
    "epic": "Epic shows an action's description, not the suggestion's label, and makes orders from its preference lists"
    " only: an option whose code a site has not mapped has no button here.",
    "oracle": "Oracle Health documents a side panel of an eighth of the screen, without suggestions or app context.",
}
TITLES = {"generic": "Generic", "epic": "Epic", "oracle": "Oracle Health"}


class View(msgspec.Struct, frozen=True):
    """The card in one dialect."""

    dialect: str
    title: str
    note: str
    card: Card
    detail: Markup


class WorkbenchView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything to be seen of one exchange."""

    exchange: Exchange
    views: tuple[View, ...] = ()
    result: ResultRows | None = None
    silence: dict[str, Any] | None = None
    problem: str = ""

    @property
    def steps(self) -> tuple[tuple[str, float, Markup], ...]:
        """Each step of the answer with its milliseconds, as a number and as a bar."""
        longest = max((ms for _, ms in self.exchange.timing), default=0.0)
        return tuple((step, ms, bars.share(ms, longest)) for step, ms in self.exchange.timing)


def shown(exchange: Exchange, zone: ZoneInfo) -> WorkbenchView:
    """What the answer says, whatever its status."""
    if exchange.status != 200:
        return WorkbenchView(exchange=exchange, problem=_problem(exchange.body))
    answer = exchange.body
    response = msgspec.convert(answer, CardsResponse)
    extension: dict[str, Any] = answer.get("extension") or {}
    discrete = extension.get(EXTENSION)
    silence = next((told for told in extension.values() if isinstance(told, dict) and "reason" in told), None)
    if response.cards:
        discrete = (response.cards[0].extension or {}).get(EXTENSION, discrete)
    return WorkbenchView(
        exchange=exchange,
        views=tuple(_view(response.cards[0], name) for name in TITLES) if response.cards else (),
        result=result.result_rows(discrete, zone) if discrete else None,
        silence=silence,
    )


def _view(card: Card, name: str) -> View:
    adapted = adapt(card, DIALECTS[name])
    limit = DIALECTS[name].detail_limit
    detail = _within(adapted.detail or "", limit)
    return View(name, TITLES[name], DIALECT_NOTES[name], adapted, markdown.html(detail))


def _within(detail: str, limit: int) -> str:
    """As many whole paragraphs, from the top, as the panel takes; the limits of use always stay."""
    *parts, last = detail.split("\n\n")
    while parts and len("\n\n".join([*parts, last])) > limit:
        parts.pop()
    return "\n\n".join([*parts, last])


def _problem(outcome: dict[str, Any]) -> str:
    issue = (outcome.get("issue") or [{}])[0]
    text = (issue.get("details") or {}).get("text", "The answer is no FHIR OperationOutcome.")
    return f"{text} {issue.get('diagnostics', '')}".strip()
