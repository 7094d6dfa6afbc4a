"""The items of TRIPOD+AI for one model: what its making and its evaluation report, item by item, and what they do not.

Collins GS et al. TRIPOD+AI statement. BMJ 2024;385:e078378, doi:10.1136/bmj-2023-078378; the items in our words.
None is ever empty; what does not exist is told as "not available" with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from models_onnx.model_card import ModelCard, ModelInput

# Number, section and what the item asks: 27 items, 52 with their parts.
ITEMS = (
    ("1", "Title", "What the model foresees, for whom, and how it was made"),
    ("2", "Abstract", "Summary"),
    ("3a", "Introduction", "The setting in care, and why a model"),
    ("3b", "Introduction", "For whom and for what moment; its users"),
    ("3c", "Introduction", "Known inequalities between groups of people"),
    ("4", "Introduction", "Aims: development, evaluation or both"),
    ("5a", "Methods", "Sources of the data, and how representative they are"),
    ("5b", "Methods", "Dates of the data"),
    ("6a", "Methods", "Setting and number of centres"),
    ("6b", "Methods", "Who was included and left out"),
    ("6c", "Methods", "Treatments received, and how they were dealt with"),
    ("7", "Methods", "Preparation and quality of the data"),
    ("8a", "Methods", "The outcome and its horizon"),
    ("8b", "Methods", "Who judged the outcome"),
    ("8c", "Methods", "Whether outcomes were judged blind to the inputs"),
    ("9a", "Methods", "How inputs were chosen before modelling"),
    ("9b", "Methods", "The inputs, how and when they are measured"),
    ("9c", "Methods", "Who judged inputs that need judgement"),
    ("10", "Methods", "Size of the sample, and why it suffices"),
    ("11", "Methods", "Missing data"),
    ("12a", "Methods", "How data were divided for development and evaluation"),
    ("12b", "Methods", "How inputs enter the model"),
    ("12c", "Methods", "Kind of model, how it was built and validated"),
    ("12d", "Methods", "Differences between clusters or centres"),
    ("12e", "Methods", "Measures of performance"),
    ("12f", "Methods", "Updating of the model after evaluation"),
    ("12g", "Methods", "How predictions are computed in the evaluation"),
    ("13", "Methods", "Imbalance of outcomes"),
    ("14", "Methods", "Fairness"),
    ("15", "Methods", "What the model gives out, and thresholds"),
    ("16", "Methods", "Differences between development and evaluation data"),
    ("17", "Methods", "Ethical approval"),
    ("18a", "Open science", "Funding"),
    ("18b", "Open science", "Conflicts of interest"),
    ("18c", "Open science", "Protocol"),
    ("18d", "Open science", "Registration"),
    ("18e", "Open science", "Where the data are"),
    ("18f", "Open science", "Where the code is"),
    ("19", "Patients and public", "Their involvement"),
    ("20a", "Results", "Flow of people through the study, with and without the outcome"),
    ("20b", "Results", "Characteristics of the people"),
    ("20c", "Results", "How evaluation data differ from development data"),
    ("21", "Results", "People and events in each analysis"),
    ("22", "Results", "The whole model, so that others can compute it"),
    ("23a", "Results", "Performance with intervals, in subgroups too"),
    ("23b", "Results", "Differences of performance between clusters"),
    ("24", "Results", "Results of updating"),
    ("25", "Discussion", "Interpretation, fairness included"),
    ("26", "Discussion", "Limits"),
    ("27a", "Usability", "How poor or missing inputs are handled when it is used"),
    ("27b", "Usability", "What its users need to do and to know"),
    ("27c", "Usability", "Next steps"),
)
ABSENT = "not available"
Evaluation = Mapping[str, Any]
Answers = dict[str, str]


class Item(msgspec.Struct, frozen=True):
    """One item: its number and section in TRIPOD+AI, what it asks, and what is told; `known` unless not available."""

    number: str
    section: str
    asks: str
    told: str
    known: bool


def items(card: ModelCard, attributes: Mapping[str, str], evaluation: Evaluation | None = None) -> tuple[Item, ...]:
    """All 52 items, in their order, from the card, its 31 attributes and, for a fitted model, its evaluation."""
    told = {**_of_every_model(card, attributes), **(_fitted(evaluation, attributes) if evaluation else {})}
    return tuple(_item(*item, told.get(item[0]) or _unknown(evaluation)) for item in ITEMS)


def _item(number: str, section: str, asks: str, told: str) -> Item:
    return Item(number, section, asks, told, not told.lower().startswith(ABSENT))


def _unknown(evaluation: Evaluation | None) -> str:
    if evaluation is not None:
        return f"{ABSENT}: the data set does not tell"
    return f"{ABSENT} here: the development was published elsewhere, see the citations"


def _of_every_model(card: ModelCard, attributes: Mapping[str, str]) -> Answers:
    inputs = "; ".join(f"{_in_words(entry)}: {entry.why.rstrip('.')}" for entry in card.inputs)
    optional = ", ".join(_in_words(entry) for entry in card.inputs if not entry.required) or "none"
    return {
        "1": f"{card.title}: {card.outcome_definition}",
        "2": card.summary,
        "3a": attributes["purpose.intended_use"],
        "3b": f"{card.population} {attributes['purpose.users']}",
        "4": f"{ABSENT} as a study of ours: the equation is used as it was published",
        "5a": card.population,
        "8a": f"{card.outcome_definition} Horizon: {card.horizon}.",
        "9b": f"{inputs}.",
        "14": f"{attributes['fairness.approach']} {attributes['fairness.mitigation']}",
        "15": f"{attributes['details.output_value']} No threshold of its own: bands are set by the site.",
        "18a": attributes["details.funding"],
        "18b": f"{ABSENT}: none was declared for this implementation",
        "18f": "models_onnx/training in the repository of this project.",
        "19": f"{ABSENT}: patients and public were not involved",
        "22": f"model.onnx (sha256 {card.sha256}); coefficients in models_onnx/training.",
        "26": " ".join(card.limits),
        "27a": f"Inputs that may be missing: {optional}. Without any other no number is told, but what is missing.",
        "27b": "It is told beside the order with its interval, what moved it and what is missing; no action is needed.",
        "27c": "Validation on the site's own operations before percentages are relied on (`evaluate`, silent mode).",
    }


def _in_words(entry: ModelInput) -> str:
    """An input by its name, with its unit where it has one."""
    name = entry.name.replace("_", " ").replace("asa ", "ASA ")
    return f"{name} ({entry.unit})" if entry.unit not in ("", "1") else name


def _fitted(evaluation: Evaluation, attributes: Mapping[str, str]) -> Answers:
    data = evaluation["data"]
    left_out = ", ".join(f"{why} {count:,}" for why, count in data["left_out"].items())
    missing = ", ".join(f"{name} {count:,}" for name, count in data["missing"].items())
    events = f"{data['n']:,} adults, {data['events']:,} with the outcome"
    return {
        "3c": "Of such groups the data hold age, sex and race alone; race is no input, and all three are subgroups.",
        "4": "Development, with internal evaluation by nested cross-validation.",
        "5a": f"{data['source']}; one hospital's registry of elective general operations, published for teaching.",
        "5b": "January 2005 to September 2010, as the publication says; the file itself holds no dates.",
        "6a": "One hospital: Cleveland Clinic, United States.",
        "6b": f"{events}, of {data['rows_in_file']:,} rows. Left out or set missing: {left_out}.",
        "7": "Age floored to completed years, implausible BMI set missing; no other cleaning.",
        "8b": "Complications by ICD-9 codes of the stay; the data set does not tell how deaths were found.",
        "9a": "What an order and a record tell beforehand; billing flags, leakage, race and time of day are out.",
        "10": f"{events}; every row was used. The learning curve shows what more rows would add.",
        "11": f"Missing: {missing}. Explicit missing terms, fitted on masked copies; nothing is imputed.",
        "12a": evaluation["method"],
        "12b": "Age and BMI as cubic splines (age and ASA class never lower the risk), a pooled term per operation.",
        "12c": f"Additive logistic regression with penalties {_told(evaluation['parameters'])}, chosen by inner folds.",
        "12d": "One centre; operations are pooled by a penalty, and age may weigh more in spine operations.",
        "12e": "AUROC, Brier score, calibration slope and intercept, net benefit; 95 % bootstrap intervals.",
        "12f": "None on these data; a site may recalibrate intercept and slope.",
        "12g": "By the fitted scikit-learn model; the graph that is served agrees within 1e-6.",
        "13": "Nothing was resampled or weighed by outcome, so that probabilities stay calibrated.",
        "16": "None: folds of the same data.",
        "17": f"{ABSENT}: public, de-identified teaching data; the original study's approval stands in its publication",
        "18c": f"{ABSENT}: no protocol was published",
        "18d": f"{ABSENT}: not registered",
        "18e": "TSHS Resources Portal, Surgery Timing Dataset; no rows are in this product.",
        "20a": f"{events}; {left_out}.",
        "20b": attributes["development.representativeness"],
        "20c": "The same data.",
        "21": f"{events} in every fold together; see the table of performance.",
        "23a": " ".join(attributes[f"performance.internal_{kind}"] for kind in ("validity", "fairness")),
        "23b": "See subgroups by procedure.",
        "24": f"{ABSENT}: not updated yet",
        "25": "Better than the operation's mean and than ASA class with age; close to what other model classes reach.",
    }


def _told(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in parameters.items())
