"""Where `report.bulk_spark` was until 0.2: its name is still found here, with a notice, and goes with 0.3."""

from __future__ import annotations

import warnings
from typing import Any

from fhir_mappings.report import bulk_spark


def __getattr__(name: str) -> Any:
    found = getattr(bulk_spark, name)
    warnings.warn("fhir_mappings.bulk_spark is fhir_mappings.report.bulk_spark now", DeprecationWarning, stacklevel=2)
    return found
