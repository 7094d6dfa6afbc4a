"""What is a hospital's own: its recalibrations, and what the models say that it added, with what may be done with it.

Their figures are shown in a line of their own, and no more until a report on the site's own cases stands behind them.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cds_service.advice.outcomes import Outcome
from models_onnx.added_card import AddedCard
from models_onnx.added_model import FAILED, NOT_READ, TOO_MUCH_MISSING, TOO_SLOW, WITHDRAWN, AddedAnswer
from models_onnx.recalibration import BySha256
from models_onnx.score import Score


class SiteOwn(msgspec.Struct, frozen=True):
    """What is the hospital's own: recalibrations, by the graph that they correct, and what its added models say.

    `challengers`: what those say that are recorded and told to nobody.
    """

    recalibrations: BySha256 | None = None
    added: tuple[AddedAnswer, ...] = ()
    challengers: tuple[Score, ...] = ()


NOTHING_OWN = SiteOwn()
NOT_VALIDATED = "Added by this site, not validated here"
VALIDATED = "Added by this site"
# Why there is no figure, where it is neither a missing input nor a person for whom the model was not made.
WHY_NONE = {
    FAILED: "the model failed",
    TOO_SLOW: "the model was too slow",
    TOO_MUCH_MISSING: "too many inputs missing",
    NOT_READ: "this site does not read",
    WITHDRAWN: "removed by this site",
}


def own(recalibrations: BySha256 | None, answers: Iterable[AddedAnswer]) -> SiteOwn:
    """What is the hospital's own, those apart that nobody is told of."""
    told: list[AddedAnswer] = []
    challengers: list[Score] = []
    for one in answers:
        if one.card is not None and one.card.challenger:
            challengers.append(one.score)
        else:
            told.append(one)
    return SiteOwn(recalibrations, tuple(told), tuple(challengers))


def is_validated(answer: AddedAnswer) -> bool:
    """Whether a validation report stands behind the model."""
    return answer.card is not None and answer.card.validation is not None


def speaking(answers: Iterable[AddedAnswer]) -> tuple[tuple[AddedCard, AddedAnswer], ...]:
    """Those that may stand among the other figures, head a card, open it or warn."""
    return tuple(
        (one.card, one) for one in answers if one.card is not None and is_validated(one) and one.score.has_figure
    )


def inputs(answers: Iterable[AddedAnswer], *, beside: Iterable[str]) -> tuple[str, ...]:
    """The inputs `beside`, and what those read that may stand among the other figures; each once."""
    own = (entry.name for card, _ in speaking(answers) for entry in card.inputs)
    return tuple(dict.fromkeys((*beside, *own)))


def outcomes(answers: Iterable[AddedAnswer]) -> tuple[tuple[Outcome, AddedAnswer], ...]:
    """Those that may stand among the other figures, each with its outcome as a card tells it."""
    return tuple((_outcome(card), one) for card, one in speaking(answers))


def _outcome(card: AddedCard) -> Outcome:
    """Whose figure it is stands beside it."""
    told = card.outcome
    return Outcome(
        name=told.name,
        words=f"{told.words} (this site's model)",
        heading=told.heading,
        short=f"{told.words} (this site's model)",
        on_card=f"{told.heading} (this site's model)",
        denominator=told.denominator,
        frequency=told.frequency,
    )
