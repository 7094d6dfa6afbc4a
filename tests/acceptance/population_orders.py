"""The shipped real operations as orders of FHIR: what the file tells of a person, and what a record could add."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from models_onnx.training import operations_file, speaking, surgery_timing
from models_onnx.training.inputs import procedure_groups
from models_onnx.training.surgery_timing import Operations
from tests.builders import AS_OF, Resource, a_condition, a_patient
from tests.cds_service.advice.people import asa, function, result

# An ICD-10-PCS code of each procedure group that the file can tell (procedure_groups.json, `peers_from_ccs`).
ORDERED = {
    "spine-fusion": "0SG00AJ",
    "spine-decompression": "01NB0ZZ",
    "hip-arthroplasty": "0SR90JZ",
    "knee-arthroplasty": "0SRC0J9",
    "colorectal-resection": "0DTF0ZZ",
    "small-bowel-resection": "0DB80ZZ",
    "gastrectomy": "0DT60ZZ",
    "inguinal-hernia-repair": "0YQ50ZZ",
    "other-hernia-repair": "0WUF0JZ",
    "thyroidectomy": "0GTK0ZZ",
    "mastectomy": "0HTT0ZZ",
    "breast-lumpectomy": "0HBT0ZZ",
    "hysterectomy": "0UT90ZZ",
    "oophorectomy": "0UT20ZZ",
    "nephrectomy": "0TT00ZZ",
    "prostatectomy": "0VT00ZZ",
    "prostate-resection-transurethral": "0VB08ZZ",
}
# The file's classes I-II, III and IV-VI, each as the class that most of its people have.
ASA_GRADE = (2, 3, 4)
NORMAL = (
    ("2160-0", 0.9, "mg/dL"),
    ("718-7", 14.1, "g/dL"),
    ("777-3", 250, "10*3/uL"),
    ("2951-2", 140, "mmol/L"),
    ("1751-7", 4.2, "g/dL"),
    ("59408-5", 98, "%"),
)
# What each billing flag of the file says at most; "cardiovascular disease", positive in half of all, is hypertension.
CODED = {
    "baseline_cancer": "C80.1",
    "baseline_cvd": "I10",
    "baseline_dementia": "F03.90",
    "baseline_diabetes": "E11.9",
    "baseline_digestive": "K21.9",
    "baseline_osteoart": "M19.90",
    "baseline_psych": "F32.9",
    "baseline_pulmonary": "J44.9",
}
VARIANTS = ("without laboratory results", "without ASA class", "with normal results", "with coded diagnoses")


class People:
    """The operations whose group an order can tell, with their groups and their billing flags."""

    def __init__(self, data: Path) -> None:
        self.operations: Operations = speaking.of_orders(surgery_timing.read_operations(data))
        by_ccs = {group["ccs"]: group["name"] for group in procedure_groups() if group["peers_from_ccs"]}
        self.groups = [by_ccs[ccs] for ccs in self.operations.ccs]
        flags = operations_file.read_columns(data, ["ahrq_ccs", "age", *CODED]).numbers
        self.flags = {name: flags[name][self.operations.row] for name in CODED}

    def resources(self, k: int, variant: str) -> list[Resource]:
        """The record of the k-th person as this variant has it."""
        return [*self._known(k, variant), *self._added(k, variant)]

    def _known(self, k: int, variant: str) -> Iterator[Resource]:
        people = self.operations
        sex = {0.0: "female", 1.0: "male"}.get(float(people.sex[k]), "unknown")
        yield a_patient(gender=sex, birthDate=f"{AS_OF.year - int(people.age[k])}-03-02")
        if not np.isnan(people.bmi[k]):
            yield result("39156-5", float(people.bmi[k]), "kg/m2")
        if variant != "without ASA class" and not np.isnan(people.asa[k]):
            yield asa(ASA_GRADE[int(people.asa[k])])

    def _added(self, k: int, variant: str) -> Iterator[Resource]:
        if variant not in ("with normal results", "with coded diagnoses"):
            return
        yield function("INDEPENDENT")
        for code, value, unit in NORMAL:
            yield result(code, value, unit)
        if variant == "with coded diagnoses":
            for name, code in CODED.items():
                if self.flags[name][k] == 1:
                    yield a_condition(code)
