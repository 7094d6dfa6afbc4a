"""The one place where FHIR is written: every resource is built and validated by fhir.resources (R4B)."""

from __future__ import annotations

from typing import Literal

Severity = Literal["fatal", "error", "warning", "information"]


def operation_outcome(*, severity: Severity, code: str, text: str, diagnostics: str | None = None) -> str:
    """An OperationOutcome with one issue, as JSON; `code` is of the value set issue-type. Raises ValueError."""
    # Imported where the first resource is written: the library takes 0.2 s that no answer should wait for.
    from fhir.resources.R4B.operationoutcome import OperationOutcome  # noqa: PLC0415

    issue = {"severity": severity, "code": code, "details": {"text": text}}
    if diagnostics is not None:
        issue["diagnostics"] = diagnostics
    return OperationOutcome.model_validate({"resourceType": "OperationOutcome", "issue": [issue]}).model_dump_json()
