"""Feature values of invented people, as the mapping hands them to the models."""

from __future__ import annotations

from models_onnx.score import InputValue

Values = dict[str, InputValue | None]


def a_person(**changes: InputValue | None) -> Values:
    """A 72-year-old of ASA class III before an elective single-level fusion, everything else known and absent."""
    return {
        "procedure_group": "spine-fusion",
        "age": 72,
        "sex": "female",
        "bmi": 28.0,
        "asa_class": 3,
        "urgency": "elective",
        "functional_status": "independent",
        "creatinine": 1.0,
        "sepsis": "none",
        "smoking_status": "never",
        "cancer": False,
        "diabetes": False,
        "insulin": False,
        "heart_failure": False,
        "ischaemic_heart_disease": False,
        "cerebrovascular_disease": False,
        "copd": False,
        "hypertension_on_medication": False,
        **changes,
    }
