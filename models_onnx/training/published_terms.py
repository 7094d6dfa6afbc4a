"""The parts that published models are built from: terms by input, and operations that an equation cannot grade."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models_onnx.model_card import PointsBand
from models_onnx.training.equations import AdditiveEquation, Levels, Linear, Steps, Term
from models_onnx.training.inputs import INPUTS, encoded, procedure_groups

Coefficients = Mapping[str, Any]
NAN = float("nan")
NOT_GRADED = "the order's code does not tell what this equation needs to know of the operation"
# The person against whom contributions are told, for the same operation. ASA II and 60 years stand near the middle
# of elective surgery; everything else is the absence of the risk factor.
REFERENCE: dict[str, float | bool | str] = {
    "age": 60,
    "asa_class": 2,
    "functional_status": "independent",
    "creatinine": 1.0,
    "sepsis": "none",
    "urgency": "elective",
    "cancer": False,
}


@dataclass(frozen=True)
class Published:
    """A published model: its estimator, the rates published per points, and the procedure groups for which it
    cannot answer, with the reason.
    """

    estimator: AdditiveEquation
    outside: Mapping[str, str] = field(default_factory=dict)
    not_graded: Mapping[str, str] = field(default_factory=dict)
    rates: tuple[PointsBand, ...] = ()


def above(cut: float) -> float:
    """The smallest number above `cut`: where a published "greater than" begins."""
    return math.nextafter(cut, math.inf)


def steps(name: str, cuts: tuple[float, ...], values: tuple[float, ...]) -> Steps:
    """A step function of a number, within the input's bounds."""
    return Steps(name, cuts, values, INPUTS[name]["low"], INPUTS[name]["high"])


def asa_steps(by_class: Mapping[str, float]) -> Steps:
    """One coefficient per ASA class, 1 to 5."""
    return steps("asa_class", (2.0, 3.0, 4.0, 5.0), tuple(by_class[str(asa)] for asa in range(1, 6)))


def functional(terms: Coefficients) -> Levels:
    """Independent, partially and totally dependent, as NSQIP defines them."""
    return Levels("functional_status", (terms["independent"], terms["partial"], terms["total"]))


def sepsis(terms: Coefficients) -> Levels:
    """None, SIRS, sepsis and septic shock in the 48 hours before the operation, as NSQIP defines them."""
    return Levels("sepsis", tuple(terms[key] for key in ("none", "sirs", "sepsis", "septic_shock")))


def linear_age(slope: float) -> Linear:
    """A slope per year of age."""
    return Linear("age", slope, INPUTS["age"]["low"], INPUTS["age"]["high"])


def by_group(value: Callable[[Mapping[str, Any]], float | None]) -> Levels:
    """One coefficient per procedure group; NaN where the equation does not know the operation."""
    found = (value(group) for group in procedure_groups())
    return Levels("procedure_group", tuple(NAN if number is None else number for number in found))


def equation(
    terms: tuple[Term, ...], intercept: float, *, reference: Mapping[str, Any] = REFERENCE
) -> AdditiveEquation:
    """A logistic equation whose contributions compare with `reference` having the same operation."""
    names = {term.input for term in terms}
    codes = {name: encoded(name, value) for name, value in reference.items() if name in names}
    operation = "procedure_group" if "procedure_group" in names else None
    return AdditiveEquation(terms, intercept, operation=operation, reference=codes).fit()


def points(terms: tuple[Term, ...]) -> AdditiveEquation:
    """A points score: contributions are the points of each item."""
    return AdditiveEquation(terms, 0.0, link="points").fit()


def yes(name: str, coefficient: float) -> Levels:
    """A coefficient for yes, nothing for no."""
    return Levels(name, (0.0, coefficient))


def not_graded(estimator: AdditiveEquation, outside: Mapping[str, str]) -> dict[str, str]:
    """The procedure groups whose coefficient is NaN and that are not outside, each with the reason."""
    operation = next(term for term in estimator.terms if term.input == "procedure_group")
    if not isinstance(operation, Levels):
        raise TypeError("an operation is a category")
    rows = zip(procedure_groups(), operation.coefficients, strict=True)
    return {
        group["name"]: group["assumption"] or NOT_GRADED
        for group, coefficient in rows
        if math.isnan(coefficient) and group["name"] not in outside
    }
