"""The table of unit factors, as UCUM has it: `python -m fhir_mappings.terminology.unit_factors` writes it."""

from __future__ import annotations

import json
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("unit_factors.json")

_PREFIXES = ("", "d", "c", "m", "u", "n", "p", "f")
_VOLUMES = ("L", "dL", "cL", "mL", "uL", "nL", "pL", "fL", "m3", "dm3", "cm3", "mm3", "um3", "(100.mL)")
_COUNTS = ("", "1", *(f"10*{power}" for power in range(1, 13)))


def _per(numerators: tuple[str, ...], denominators: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{one}/{other}" for one, other in product(numerators, denominators))


# By the unit to which they are converted: every unit of its dimension in which a result may come, as prefix, unit
# and denominator. The ratios of HbA1c are a dimension of their own: of pure numbers the library proves nothing.
UNITS: dict[str, tuple[str, ...]] = {
    "g/dL": _per(("kg", *(f"{prefix}g" for prefix in _PREFIXES)), _VOLUMES),
    "mmol/L": _per(tuple(f"{prefix}mol" for prefix in _PREFIXES), _VOLUMES),
    "meq/L": _per(tuple(f"{prefix}eq" for prefix in _PREFIXES), _VOLUMES),
    "10*3/uL": _per(_COUNTS, _VOLUMES),
    "mmol/mol": _per(tuple(f"{prefix}mol" for prefix in _PREFIXES), ("mol", "mmol")),
    "cm": ("m", "dm", "cm", "mm", "[in_i]", "[ft_i]"),
    "kg": ("kg", "g", "mg", "[lb_av]", "[oz_av]", "[stone_av]"),
    "kg/m2": (*_per(("kg", "g", "mg"), ("m2", "dm2", "cm2")), "[lb_av]/[in_i]2"),
}


@cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry  # noqa: PLC0415 - never imported by the service

    return PintUcumRegistry()


def factors() -> dict[str, dict[str, float]]:
    """Every factor of the table, asked of ucumvert; raises pint's error where two units do not convert."""
    return {target: {source: factor(source, target) for source in sources} for target, sources in UNITS.items()}


def factor(source: str, target: str) -> float:
    """One `source` in units of `target`, asked of ucumvert; raises pint's error where they do not convert."""
    registry = _registry()
    ratio = (1 * registry.from_ucum(source)).to(registry.from_ucum(target)).magnitude
    # Exact to ten digits; what pint leaves behind them (1.0000000000000002) is rounding.
    return float(f"{float(ratio):.10g}")


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
