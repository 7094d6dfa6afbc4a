"""`python -m models_onnx.training`: rebuild every model that is served."""

from __future__ import annotations

from pathlib import Path

from models_onnx.training.export import Export, write, write_stack
from models_onnx.training.published import published

PACKAGE = Path(__file__).parents[1]


def exports() -> list[Export]:
    """Every model, in the order of the stacked graph."""
    return [
        Export(
            model=made.estimator.additive_model(name, "1.0.0"),
            estimator=made.estimator,
            outside=made.outside,
            not_graded=made.not_graded,
            rates=made.rates,
        )
        for name, made in published().items()
    ]


def export(directory: Path = PACKAGE) -> None:
    """Write the folder of every model and the stacked graph, from what the repository holds."""
    made = exports()
    write_stack(made, [write(one, directory) for one in made], directory)


if __name__ == "__main__":
    export()
