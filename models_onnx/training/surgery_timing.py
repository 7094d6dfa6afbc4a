"""The real operations that models are fitted on, and any file with the same columns: read, cleaned, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models_onnx.training import operations_file

# Sessler DI et al. Anesth Analg 2011;113:1423-1428, doi:10.1213/ANE.0b013e3182315a6d; data set cleaned by Nowacki AS,
# "Surgery Timing Dataset", TSHS Resources Portal (2016). Rows never enter the product.
DATA = Path(__file__).parents[3] / "shared" / "data" / "surgery_timing.csv"
CITATION = "Sessler DI et al. Anesth Analg 2011;113:1423-1428, doi:10.1213/ANE.0b013e3182315a6d"
OUTCOMES = {"any-complication": "complication", "30-day-death": "mort30"}
# The fitted models, each with the outcome that it foresees.
MODELS = {"elective-complication": "any-complication", "elective-death": "30-day-death"}
SPINE = ("Spinal fusion", "Laminectomy; excision intervertebral disc")
# Nothing else is read. Race serves only to look at subgroups, the cancer flag only to compare with SORT; leakage,
# time of day and the other billing flags stay in the file.
COLUMNS = ("ahrq_ccs", "age", "gender", "race", "asa_status", "bmi", "baseline_cancer", "mort30", "complication")
ADULT = 18


@dataclass(frozen=True)
class Operations:
    """One element per operation, NaN where missing.

    `ccs` is the AHRQ-CCS category; `age` in completed years (inputs 3); `sex` 0 female, 1 male;
    `asa` 0 for I-II, 1 for III, 2 for IV-VI; `bmi` in kg/m2; `row` is the 0-based line in the file, `rows` their
    number, `absent` the columns that the file lacks.
    """

    row: NDArray[np.int64]
    ccs: NDArray[np.object_]
    age: NDArray[np.float64]
    sex: NDArray[np.float64]
    asa: NDArray[np.float64]
    bmi: NDArray[np.float64]
    race: NDArray[np.float64]
    cancer: NDArray[np.float64]
    outcomes: dict[str, NDArray[np.float64]]
    excluded: dict[str, int]
    rows: int
    absent: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.row)

    def matrix(self, categories: tuple[str, ...]) -> NDArray[np.float64]:
        """The rows that a MonotoneAdditiveClassifier reads; NaN for a category that is not among `categories`."""
        number = {name: float(k) for k, name in enumerate(categories)}
        operation = np.array([number.get(name, np.nan) for name in self.ccs])
        return np.column_stack([operation, self.age, self.sex, self.asa, self.bmi])

    @property
    def spine(self) -> NDArray[np.bool_]:
        """Which operations are spinal fusion, laminectomy or discectomy."""
        return np.isin(self.ccs.astype(str), SPINE)


def read_operations(path: Path = DATA) -> Operations:
    """The adults in a file with the columns of the data dictionary; what is left out or cleaned is counted.

    Left out: no age, or under 18. Set missing: a BMI outside 12 to 70 (36 values in the source). Age is floored
    to completed years. All columns but operation and age may be absent; raises OperationsFileError.
    """
    columns = operations_file.read_columns(path, COLUMNS)
    numbers = columns.numbers
    excluded: Counter[str] = Counter()
    age = np.floor(numbers["age"])
    excluded["age missing"] = int(np.isnan(age).sum())
    excluded[f"under {ADULT}"] = int((age < ADULT).sum())
    bmi = numbers["bmi"]
    implausible = (bmi < 12) | (bmi > 70)
    keep = age >= ADULT
    excluded["BMI implausible, taken as missing"] = int((implausible & keep).sum())
    bmi = np.where(implausible, np.nan, bmi)
    return Operations(
        row=np.flatnonzero(keep),
        ccs=columns.text[keep],
        age=age[keep],
        sex=numbers["gender"][keep],
        asa=numbers["asa_status"][keep] - 1,
        bmi=bmi[keep],
        race=numbers["race"][keep],
        cancer=numbers["baseline_cancer"][keep],
        outcomes={outcome: numbers[name][keep] for outcome, name in OUTCOMES.items()},
        excluded=dict(excluded),
        rows=columns.rows,
        absent=columns.absent,
    )
