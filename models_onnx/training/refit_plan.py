"""The plan of a refit, written, approved and hashed before anything is fitted: what, on whose operations, which gates.

The hash of the plan is given again when the model is fitted and when it is judged: gates that were changed after a look
at the figures are found (R-F09, R-F10).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from models_onnx import added_card, data_files, model_card
from models_onnx.added_card import AddedInput, AddedOutcome, Text
from models_onnx.data_files import DataFileError
from models_onnx.site_outcomes import site_outcomes
from models_onnx.training.refit_recipe import RefitError

CARDS = Path(__file__).parents[1]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Gates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What has to hold of a challenger beside the champion, or there is no promotion (R-F09).

    `auroc_loss`: how much lower its AUROC may be. `observed_to_expected`: between which its own has to lie.
    `thresholds`: at these its net benefit may not be lower. `standard_errors`: a difference in a subgroup or of net
    benefit counts from so many of its own on (1.645: one-sided 5 %). `least_events`: below, nothing is judged, and
    what is not judged has not passed; `least_subgroup_events`: a subgroup with fewer is named as not judged.
    """

    thresholds: tuple[Share, ...]
    auroc_loss: Annotated[float, msgspec.Meta(ge=0, le=0.01)] = 0.01
    observed_to_expected: tuple[Share, float] = (0.9, 1.1)
    standard_errors: Annotated[float, msgspec.Meta(ge=0, le=1.96)] = 1.645
    least_events: Annotated[int, msgspec.Meta(ge=100)] = 100
    least_subgroup_events: Annotated[int, msgspec.Meta(ge=5)] = 10


class SiteApproved(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One site lets its operations be learned from: under which agreement, who said so, when."""

    site: str
    agreement: Text
    approved_by: Text
    date: date


class RefitPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """plan.yaml. `outcome`: by its name. `first_day`, `last_day`: of the operations learned from.

    `learn_from`: all operations, or only those of which nobody was shown a figure (silent mode and hold-out), which
    treatment because of a figure cannot have changed (R-F07). `why`, `benefits`, `risks`: for the change plan.
    """

    name: str
    version: str
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    made_by: Text
    outcome: str
    inputs: tuple[AddedInput, ...]
    first_day: date
    last_day: date
    learn_from: Literal["all", "withheld"]
    sites: tuple[SiteApproved, ...]
    approved_by: tuple[str, ...]
    gates: Gates
    why: Text
    benefits: tuple[Text, ...]
    risks: tuple[Text, ...]

    @property
    def sha256(self) -> str:
        """Of everything that it says, whatever its layout."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    @property
    def gates_sha256(self) -> str:
        """Of the gates alone."""
        return hashlib.sha256(msgspec.json.encode(self.gates, order="sorted")).hexdigest()

    def told_as(self) -> AddedOutcome:
        """The outcome as a card tells it; raises RefitError where nobody knows it."""
        return told_outcomes()[self.outcome][0]

    def verification(self) -> str:
        """How the outcome gets known, and who may be missed."""
        return told_outcomes()[self.outcome][1]


def read_plan(path: Path, *, sha256: str | None = None) -> RefitPlan:
    """The plan in a file; raises RefitError where it is not whole, or another than the one that was approved."""
    try:
        plan = data_files.read_yaml(path, RefitPlan)
    except (DataFileError, OSError) as error:
        raise RefitError(str(error)) from error
    if found := list(_complaints(plan)):
        raise RefitError(f"{path}: " + "; ".join(found))
    if sha256 is not None and sha256 != plan.sha256:
        raise RefitError(f"{path}: another plan than the one approved: its sha256 is {plan.sha256}")
    return plan


def two_people(names: tuple[str, ...]) -> bool:
    """Whether at least two different people are named."""
    return len({name.strip().casefold() for name in names if name.strip()}) >= 2


def _complaints(plan: RefitPlan) -> Iterator[str]:
    if not added_card.is_name(plan.name, plan.version):
        yield "name: lower-case letters, digits and hyphens; version: three numbers"
    if plan.outcome not in told_outcomes():
        yield f"outcome: one of {', '.join(sorted(told_outcomes()))}"
    if not plan.first_day < plan.last_day:
        yield "last_day: after first_day"
    if not plan.sites:
        yield "sites: each whose operations are learned from, with its agreement and approval"
    if not two_people(plan.approved_by):
        yield "approved_by: two people approve the plan before anything is fitted"
    if not plan.gates.thresholds or not all(0 < one < 1 for one in plan.gates.thresholds):
        yield "gates: thresholds: at least one, between 0 and 1"
    if not plan.benefits or not plan.risks:
        yield "benefits, risks: at least one of each: they are the impact assessment"
    yield from _of_inputs(plan.inputs)


def _of_inputs(inputs: tuple[AddedInput, ...]) -> Iterator[str]:
    if not inputs or len({entry.name for entry in inputs}) != len(inputs):
        yield "inputs: at least one, each once"
    for entry in inputs:
        yield from added_card.complaints_of_input(entry)
        if entry.kind == "number" and (entry.low is None or entry.high is None):
            yield f"inputs: {entry.name}: low and high, between which the model is made"


def told_outcomes() -> dict[str, tuple[AddedOutcome, str]]:
    """Every outcome that can be refitted, with how it gets known: those of shipped models, and the site's own."""
    found = {name: (one.outcome, one.verification) for name, one in site_outcomes().items()}
    for path in sorted(CARDS.glob("*/*/*/card.yaml")):
        card = model_card.read_card(path)
        if card.kind == "probability":
            told = _shipped(card)
            found.setdefault(card.outcome, (told, _VERIFICATION))
    return found


_VERIFICATION = "As the file of outcomes says it; who was looked at more closely was found to have it more often."


def _shipped(card: model_card.ModelCard) -> AddedOutcome:
    words = card.outcome.replace("-", " ").replace("30 day", "30-day")
    return AddedOutcome(
        name=card.outcome,
        heading=words.capitalize(),
        words=words,
        definition=card.outcome_definition,
        horizon=card.horizon,
        horizon_days=card.horizon_days,
        denominator=card.denominator,
        frequency="none",
    )
