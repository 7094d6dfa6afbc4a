"""`python -m models_onnx.training COMMAND`: make every model that is served, judge them on a file, or fit a site's own.

build (the default) learns from the data, then exports; export alone needs no data, only what the repository holds.
plan, refit and judge make a challenger of a hospital's own operations (docs/learning.md).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from models_onnx.training import documentation, refit_commands, surgery_timing
from models_onnx.training.export import Export, write, write_stack
from models_onnx.training.operations_file import OperationsFileError
from models_onnx.training.published import published
from models_onnx.training.served import FITTED, refused, restored

PACKAGE = Path(__file__).parents[1]
VERSION = "1.0.0"


def exports() -> list[Export]:
    """Every model, in the order of the stacked graph."""
    return [_published(name) for name in published()] + [_fitted(name) for name in surgery_timing.MODELS]


def _published(name: str) -> Export:
    made = published()[name]
    model = made.estimator.additive_model(name, VERSION)
    return Export(model, made.estimator, outside=made.outside, not_graded=made.not_graded, rates=made.rates)


def _fitted(name: str) -> Export:
    estimator = restored(FITTED / f"{name}.json")
    outside, not_graded = refused()
    evaluation = (FITTED / f"{name}.evaluation.json").read_bytes()
    model = estimator.additive_model(name, VERSION)
    return Export(model, estimator, outside=outside, not_graded=not_graded, evaluation=evaluation)


def export(directory: Path = PACKAGE) -> None:
    """Write the folder of every model and the stacked graph, from what the repository holds."""
    made = exports()
    write_stack(made, [write(one, directory) for one in made], directory)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models_onnx.training", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    build = commands.add_parser("build", help="learn from the data, then export (about 15 minutes on two cores)")
    build.add_argument("--data", type=Path, default=surgery_timing.DATA)
    commands.add_parser("export", help="graphs, cards and golden scores from what the repository holds")
    judge = commands.add_parser("evaluate", help="score the shipped graphs on a file with the same columns")
    judge.add_argument("file", type=Path)
    judge.add_argument("--predictions", type=Path)
    refit_commands.add_to(commands)
    chosen = parser.parse_args(arguments or ["build"])
    if chosen.command in refit_commands.COMMANDS:
        return refit_commands.run(chosen)
    if chosen.command == "evaluate":
        from models_onnx.training.judgement import judge as evaluate  # noqa: PLC0415 (only this command needs it)

        try:
            evaluate(chosen.file, PACKAGE, predictions=chosen.predictions)
        except (OperationsFileError, OSError) as error:
            print(f"evaluate: {error}", file=sys.stderr)  # noqa: T201 (a command prints)
            return 2
        return 0
    if chosen.command == "build":
        from models_onnx.training.from_data import learn  # noqa: PLC0415 (only this command fits and compares)

        learn(chosen.data, PACKAGE)
    export()
    documentation.write(PACKAGE, PACKAGE.parent / "docs" / "models.md")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
