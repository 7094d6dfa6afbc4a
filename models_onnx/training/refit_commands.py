"""`python -m models_onnx.training plan|refit|judge`: a site's own model, from its approved plan to what may be told."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from models_onnx.model_card import ModelError
from models_onnx.training.operations_file import OperationsFileError
from models_onnx.training.refit_recipe import RefitError

COMMANDS = ("plan", "refit", "judge")
FAILED, HELD_BACK = 2, 3


def add_to(commands: Any) -> None:
    """The three commands with their arguments."""
    plan = commands.add_parser("plan", help="read a plan of a refit; print its hash and its change plan")
    plan.add_argument("plan", type=Path)
    fit = commands.add_parser("refit", help="fit a site's own model by an approved plan: a challenger, told to nobody")
    fit.add_argument("plan", type=Path)
    fit.add_argument("operations", type=Path, nargs="+", help="files of `cds-service record operations`")
    fit.add_argument("--into", type=Path, required=True, help="the folder to write; it may not be there")
    fit.add_argument("--plan-sha256", required=True, help="of the plan, as it was approved (`plan` prints it)")
    judged = commands.add_parser("judge", help="a challenger's gates on later operations; what holds may be told")
    judged.add_argument("folder", type=Path)
    judged.add_argument("operations", type=Path, nargs="+")
    judged.add_argument("--plan-sha256", required=True)
    judged.add_argument("--into", type=Path, help="where every gate holds: the folder of the version that may be told")
    judged.add_argument("--approved-by", action="append", default=[], help="two people, once each")


def run(chosen: argparse.Namespace) -> int:
    """Run one of them; returns the exit status: 2 where it cannot be done, 3 where a gate holds the model back."""
    try:
        return {"plan": _plan, "refit": _refit, "judge": _judge}[chosen.command](chosen)
    except (RefitError, OperationsFileError, ModelError, OSError) as error:
        print(f"{chosen.command}: {error}", file=sys.stderr)  # noqa: T201 (a command prints)
        return FAILED


def _plan(chosen: argparse.Namespace) -> int:
    from models_onnx.training import change_plan, refit_plan  # noqa: PLC0415 (only these commands fit)

    found = refit_plan.read_plan(chosen.plan)
    _say(change_plan.written(found), f"sha256 of the plan: {found.sha256}")
    return 0


def _refit(chosen: argparse.Namespace) -> int:
    from models_onnx.training import refit_run  # noqa: PLC0415

    made = refit_run.refit(chosen.plan, chosen.operations, chosen.into, sha256=chosen.plan_sha256)
    _say(f"{made.n} operations with {made.events} events; shrunk by {made.shrinkage:.3f}; parity {made.parity:.1e}")
    _say(*(f"left out: {count} ({reason})" for reason, count in made.left_out.items() if count))
    _say("out of fold:", *refit_run.lines(made.out_of_fold))
    _say(f"{chosen.into}: a challenger. Next: cds-service models add {chosen.into}; then judge it on later operations")
    return 0


def _judge(chosen: argparse.Namespace) -> int:
    from models_onnx.training import refit_run  # noqa: PLC0415

    judged, left_out = refit_run.judge(chosen.folder, chosen.operations, sha256=chosen.plan_sha256)
    _say(*(f"left out: {count} ({reason})" for reason, count in left_out.items() if count), *refit_run.lines(judged))
    if not judged.passed:
        _say("it stays a challenger: a gate does not hold or could not be judged")
        return HELD_BACK
    if chosen.into is None:
        _say("every gate holds: with --into and two --approved-by it becomes a version that may be told")
        return 0
    card = refit_run.promotable(chosen.folder, chosen.into, judged, tuple(chosen.approved_by))
    _say(f"{chosen.into}: {card.name} {card.version}. Next: cds-service models add {chosen.into} --by --approved-by")
    return 0


def _say(*lines: str) -> None:
    for line in lines:
        print(line)  # noqa: T201
