"""Units and the factors between them, tabulated once at start: what each input takes, and what it makes of it.

Factors within one dimension are UCUM's own (unit_factors.json, written by ucumvert and pint: half a second and 40 MB
that no worker should spend); those that depend on the analyte stand in measurement_rules.py under their sources. While
a request is answered there is only a look-up. How hospitals write units stands in unit_texts.py.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from models_onnx import data_files

# By a unit: every unit of its dimension, and how much of the first it is. tests/fhir_mappings/terminology/test_units.py
# asks the library again, for every row.
FACTORS: dict[str, dict[str, float]] = data_files.read_json(Path(__file__).with_name("unit_factors.json"), dict)


class Conversion(Struct, frozen=True, gc=False):
    """canonical number = recorded number * factor + offset.

    `published`: the unit, of the same dimension as the recorded one, in which cut-points are published, and `scale`
    how much of it the recorded unit is; "" where it is the recorded unit itself.
    """

    factor: float = 1.0
    offset: float = 0.0
    published: str = ""
    scale: Decimal = Decimal(1)

    @property
    def changes_the_number(self) -> bool:
        """Whether the unit is more than another spelling of the canonical one."""
        return self.factor != 1.0 or self.offset != 0.0

    def apply(self, number: float) -> float:
        """The number in the canonical unit."""
        return number * self.factor + self.offset


SAME = Conversion()


def commensurable(unit: str, conversion: Conversion = SAME) -> dict[str, Conversion]:
    """How every unit of the dimension of `unit` becomes the canonical one, to which `unit` itself leads as given.

    Raises StopIteration for a unit that is not in the table.
    """
    family = next(one for one in FACTORS.values() if unit in one)
    whole = Decimal(repr(family[unit]))
    scales = {other: Decimal(repr(factor)) / whole for other, factor in family.items()}
    return {
        other: Conversion(conversion.factor * float(scale), conversion.offset, unit, scale)
        for other, scale in scales.items()
    }
