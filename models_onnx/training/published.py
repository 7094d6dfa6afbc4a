"""The published models by name, built from their coefficients in the repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from models_onnx import data_files
from models_onnx.training import published_equations as equations
from models_onnx.training import published_scores as scores
from models_onnx.training.published_terms import Coefficients, Published

BUILDERS: dict[str, tuple[str, Callable[[Coefficients], Published]]] = {
    "sort-2014": ("sort_2014", equations.sort_2014),
    "gupta-mica": ("gupta_mica", equations.gupta_mica),
    "gupta-respiratory-failure": ("gupta_respiratory_failure", equations.gupta_respiratory_failure),
    "rcri": ("rcri", scores.rcri),
    "mfi-5": ("mfi5", scores.mfi_5),
    "ariscat": ("ariscat", scores.ariscat),
    "apfel": ("apfel", scores.apfel),
    "charlson-quan": ("charlson", scores.charlson_quan),
    "hfrs": ("hfrs", scores.hfrs),
    "gupta-pneumonia": ("gupta_pneumonia", equations.gupta_pneumonia),
    "gscri": ("gscri", equations.gscri),
    "sort-morbidity": ("sort_morbidity_2017", equations.sort_morbidity),
    "surgical-apgar": ("surgical_apgar", scores.surgical_apgar),
}


def coefficients() -> dict[str, Any]:
    """Every published coefficient of the project, with its source; what `corrections` corrects is corrected."""
    folder = Path(__file__).parent
    document = data_files.read_json(folder / "published_coefficients.json", dict)
    equations_: dict[str, Any] = document["equations"]
    for correction in document["corrections"]:
        *parents, member = correction["member"]
        holder = equations_
        for parent in parents:
            holder = holder[parent]
        holder[member] = correction["value"]
    return equations_ | data_files.read_json(folder / "after_operation.json", dict)


def published() -> dict[str, Published]:
    """Every published model by name."""
    source = coefficients()
    return {name: build(source[key]) for name, (key, build) in BUILDERS.items()}
