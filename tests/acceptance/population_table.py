"""docs/when-a-card-speaks.md: the candidates, the choice, and what it does among real people. Figures only, no rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from cds_service.tenants import speaking
from models_onnx.training import held_out
from models_onnx.training.speaking import OUTCOME, Catch
from models_onnx.training.surgery_timing import CITATION
from tests.acceptance.population_orders import VARIANTS, People

if TYPE_CHECKING:
    from tests.acceptance.population import Spoken

Compared = Mapping[tuple[float, bool], Mapping[str, Catch]]
CHOSEN = {0.25: "both, 1.0 times the usual", 0.10: "both, 1.5 times the usual"}
HEAD = "| {} | share of all | complications caught | times the average | deaths caught | of spine | groups without |\n"
RULE = "|--|--|--|--|--|--|--|\n"


def text(
    population: People, told: Spoken, cards: Mapping[str, Catch], warnings: Mapping[str, Catch], compared: Compared
) -> str:
    """The whole document."""
    return "".join(
        [
            _opening(population),
            *(_candidates(burden, asa, found) for (burden, asa), found in compared.items()),
            _choice(),
            _population("Cards", cards),
            _population("Warnings", warnings),
            *_groups(population, told),
            _honestly(cards, told, population),
        ]
    )


def _opening(population: People) -> str:
    people = population.operations
    y, died = people.outcomes[OUTCOME], people.outcomes["30-day-death"]
    return f"""# When a card speaks

Written by `python -m tests.acceptance.population` (two minutes; needs `../shared`); never by hand. No row of the data
is in the product.

{len(people):,} real elective operations of adults ({CITATION}),
in the {len(set(population.groups))} procedure groups that an order can tell: {100 * y.mean():.1f} % had a complication,
{int(died.sum())} people died within 30 days. Each is an order of FHIR, answered by the functions that answer a hook,
with models and usual figures fitted on the other {held_out.FOLDS - 1} of {held_out.FOLDS} folds.

## The candidates

Each rule opens for the same share of operations; its limit too is found on the other folds. "Both": from a limit on
where the probability is so many times the usual figure of the operation, from twice the limit on for anybody.
"""


def _candidates(burden: float, asa: bool, found: Mapping[str, Catch]) -> str:
    title = f"\n### {100 * burden:.0f} % of operations, ASA class {'known' if asa else 'missing'}\n\n"
    lines = (_line(f"**{name}**" if name == CHOSEN[burden] else name, one) for name, one in found.items())
    return title + HEAD.format("rule") + RULE + "".join(lines)


def _line(name: str, one: Catch) -> str:
    shares = (one.burden, one.caught, one.deaths, one.spine)
    burden, caught, deaths, spine = (f"{100 * share:.1f} %" for share in shares)
    return f"| {name} | {burden} | {caught} | {one.times_average:.2f} | {deaths} | {spine} | {one.silent_groups} |\n"


def _choice() -> str:
    floors = "".join(f"| {outcome} | {floor:g} |\n" for outcome, floor in speaking.CARD_FLOORS.items())
    return f"""
## The choice

The ratio catches little more than chance would; the absolute probability catches most, and leaves spine surgery almost
without warnings while every small bowel resection has one. "Both" gives up two points of a hundred of what absolute
limits catch, and speaks of more spine operations. So (`cds_service/tenants/speaking.py`):

- **A card** where the probability of an outcome reaches its floor and is at least {speaking.CARD_RATIO:g} times the
  usual figure of the operation, or reaches {speaking.ANYBODY:g} times its floor. With no usual figure only the second
  counts. By the average where an input is missing, by the high end where the record could not be understood; where a
  model lacks an input that it cannot do without, by the low end.
- **A warning** the same, by the low end of what is known: from {speaking.WARNING_COMMON:g} (any complication) or
  {speaking.WARNING_RARE:g} (the others) at {speaking.WARNING_RATIO:g} times the usual, or from twice that.
- **Four rows of the catalogue** open a card by themselves: HbA1c above the limit, anaemia with iron deficiency, an
  active heart condition, a recent stent on a P2Y12 inhibitor. Each is an abnormal finding of this patient on which a
  guideline asks for action. Smoking does not: what is gained by quitting rests on consensus and two small trials, and
  before spine surgery the evidence is insufficient.

| floor of a card | probability |
|--|--|
{floors}"""


def _population(title: str, found: Mapping[str, Catch]) -> str:
    lines = (_line(variant, found[variant]) for variant in VARIANTS)
    return f"\n## {title}, with the shipped limits\n\n" + HEAD.format("record") + RULE + "".join(lines)


def _groups(population: People, told: Spoken) -> Iterator[str]:
    groups, y = np.array(population.groups), population.operations.outcomes[OUTCOME]
    yield "\n## By procedure group\n\nShare with a card, and share warned, with and without the ASA class.\n\n"
    yield "| group | people | complications | card | card, no ASA class | warned | warned, no ASA class |\n" + RULE
    graded, bare = VARIANTS[0], VARIANTS[1]
    marks = [told.marks(variant, warned=warned) for warned in (False, True) for variant in (graded, bare)]
    for group in sorted(set(population.groups), key=lambda name: -float(y[groups == name].mean())):
        same = groups == group
        shares = " | ".join(f"{100 * marked[same].mean():.0f} %" for marked in marks)
        yield f"| {group} | {int(same.sum())} | {100 * y[same].mean():.1f} % | {shares} |\n"


def _honestly(cards: Mapping[str, Catch], told: Spoken, population: People) -> str:
    bare, groups = cards["without ASA class"], population.groups
    died = population.operations.outcomes["30-day-death"].sum()
    least, *_, most = sorted(one.silent_groups for one in cards.values())
    return f"""
## What this does not show

- Without the ASA class cards catch {100 * bare.caught:.0f} % of the complications at {100 * bare.burden:.0f} %; what
  each rule reaches at 25 % is in the table above. Warnings nearly fall silent there, before spine surgery altogether.
- Among {len({*groups})} groups, {least} to {most} have hardly a card (below 1 in 100); prostatectomy and joint
  replacement have few.
- Everybody before a small bowel resection has a card: nearly all have a risk of twice the floor.
- Models, usual figures and the candidates' limits are out of fold; the shipped limits are rounded numbers that were
  chosen with all these operations in view, from one hospital (2005 to 2010). Each site finds its own: `record floors`.
- The floors of heart and lung outcomes could not be chosen by what they catch, for the file does not tell them; that of
  death rests on {int(died)} deaths.
- Rows that open a card opened {sum(told.openers.values())} here: the file has no HbA1c, ferritin, stent or active heart
  condition. In a hospital they come on top.
- Functional status and results are set to normal, diagnoses are billing flags; a real record holds worse.
"""
