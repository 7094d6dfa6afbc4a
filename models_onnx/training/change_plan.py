"""The change plan of a refit, generated: modifications, modification protocol, impact assessment (R-F10).

Its three parts are those of FDA's final guidance on predetermined change control plans (August 2025).
"""

from __future__ import annotations

from collections.abc import Iterable

from models_onnx.added_card import AddedInput
from models_onnx.training import refit_recipe
from models_onnx.training.refit_plan import RefitPlan


def written(plan: RefitPlan) -> str:
    """The plan as a document, in markdown; the same plan gives the same bytes."""
    parts = (_head(plan), _modifications(plan), _protocol(plan), _impact(plan))
    return "\n\n".join(parts) + "\n"


def _head(plan: RefitPlan) -> str:
    return (
        f"# Change plan: {plan.title}, {plan.name} {plan.version}\n\n"
        f"sha256 of the plan `{plan.sha256}`, of its gates `{plan.gates_sha256}`. "
        f"Approved before anything was fitted by {' and '.join(plan.approved_by)}."
    )


def _modifications(plan: RefitPlan) -> str:
    told = plan.told_as()
    return "\n\n".join(
        (
            "## 1. Description of modifications",
            plan.why,
            f"A new model of {told.words} ({told.definition}) is fitted. Its inputs:",
            _listed(map(_input, plan.inputs)),
            "Weights change by another version only, fitted offline; none changes in production (R-F08).",
        )
    )


def _input(entry: AddedInput) -> str:
    span = f", {entry.low:g} to {entry.high:g} {entry.unit}" if entry.low is not None and entry.high is not None else ""
    of = f": {', '.join(entry.categories)}" if entry.categories else span
    missing = "required" if entry.required else "may be missing"
    return f"{entry.name}{of}; {missing}{', and is when an operation is ordered' if entry.declared else ''}"


def _protocol(plan: RefitPlan) -> str:
    gates = plan.gates
    low, high = gates.observed_to_expected
    rows = "of which nobody was shown a figure" if plan.learn_from == "withheld" else "whether or not a card was shown"
    thresholds = ", ".join(f"{one:g}" for one in gates.thresholds)
    return "\n\n".join(
        (
            "## 2. Modification protocol",
            f"**Data.** Joined operations from {plan.first_day} to {plan.last_day}, {rows}; only those whose use is "
            "permitted, of these sites:",
            _listed(f"{one.site}: {one.agreement}, approved by {one.approved_by} on {one.date}" for one in plan.sites),
            f"**Refit.** `models_onnx/training/refit_recipe.py`: a ridge of {refit_recipe.PENALTY:g}, shrunk by "
            f"{refit_recipe.BOOTSTRAPS} bootstraps; at least {refit_recipe.LEAST_EVENTS} events. Graph and fit "
            "agree to 1e-6 on rows with missing values, or nothing is written.",
            "**Evaluate.** Out of fold at once; then in silence beside the champion, on later operations. Gates:",
            _listed(
                (
                    f"AUROC not lower than the champion's by more than {gates.auroc_loss:g}",
                    f"observed events per expected event within {low:g} to {high:g}",
                    f"no subgroup with a log loss higher by more than {gates.standard_errors:g} standard errors",
                    f"no net benefit lower by as much at {thresholds}",
                    f"at least {gates.least_events} events to judge by: what is not judged is not passed",
                )
            ),
            "**Update.** Two people put it in force (`cds-service models add --by --approved-by`); the version before "
            "stays and comes back by `cds-service models rollback`.",
        )
    )


def _impact(plan: RefitPlan) -> str:
    return "\n\n".join(
        (
            "## 3. Impact assessment",
            "Benefits:",
            _listed(plan.benefits),
            "Risks:",
            _listed((*plan.risks, plan.verification())),
            "What limits them: the challenger is recorded and told to nobody until its gates hold on later operations"
            "; each answer names its version; monitoring compares observed and expected events.",
        )
    )


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"* {line}" for line in lines)
