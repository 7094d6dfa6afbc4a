"""The table of unit factors, as the UCUM library defines them: `python -m fhir_mappings.unit_factors` writes it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("unit_factors.json")

# Every pair of units, recorded and canonical, that an input takes and whose factor does not depend on the analyte.
PAIRS = (
    ("g/L", "g/dL"),
    ("10*9/L", "10*3/uL"),
    ("10*3/mm3", "10*3/uL"),
    ("/uL", "10*3/uL"),
    ("meq/L", "mmol/L"),
    ("m", "cm"),
    ("mm", "cm"),
    ("[in_i]", "cm"),
    ("g", "kg"),
    ("[lb_av]", "kg"),
)


@cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry  # noqa: PLC0415 - never imported by the service

    return PintUcumRegistry()


def factors() -> dict[str, float]:
    """Every factor of the table, asked of ucumvert; raises pint's error where two units do not convert."""
    registry = _registry()
    table = {}
    for source, target in PAIRS:
        ratio = (1 * registry.from_ucum(source)).to(registry.from_ucum(target)).magnitude
        # Exact to ten digits; what pint leaves behind them (1.0000000000000002) is rounding.
        table[f"{source} -> {target}"] = float(f"{float(ratio):.10g}")
    return table


def is_ucum(unit: str) -> bool:
    """Whether the library can read the unit."""
    from lark.exceptions import LarkError  # noqa: PLC0415 - as above

    try:
        _registry().from_ucum(unit)
    except LarkError:
        return False
    return True


if __name__ == "__main__":
    PATH.write_text(json.dumps(factors(), indent=1) + "\n", encoding="utf-8")
