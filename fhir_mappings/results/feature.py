"""One feature: its definition, and its value for one patient as of one instant, or why there is none."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Status = Literal["used", "used-with-conversion", "stale", "missing", "rejected", "conflicting"]
Kind = Literal["number", "yes-no", "category"]
FeatureValue = float | bool | str


class FeatureDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """What a feature is: the contract between the mapping and the models.

    `low` and `high` are the hard limits of a number in `unit` (UCUM; "1" where there is none).
    `categories` are the values of a category, in the order in which models number them from 0. `decimals`: to how many
    a number is told.
    """

    name: str
    label: str
    kind: Kind
    unit: str
    source: str
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    lookback_days: int | None = None
    decimals: int = 2


class Feature(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The value of one feature, in its canonical unit, with where it came from; or why there is none.

    `value` is what people are told. `model_value` is what models are given: the same number, but on the
    side of a published cut-point on which the recorded number stands in its own unit (inputs 1.5).
    `value` is also set for `stale` (told, not used); only `used` and `used-with-conversion` may be scored.
    `possible`: from where to where (both included) the number may lie in terms of `model_value`, where it is not
    known exactly: a result above or below a limit, an age of which only the year of birth is known.
    `definition`: of a value that the site added; FEATURES has it for all others.
    `could_be`: of a feature that rests on lists and is missing, every value that it could have; the first is the one
    where nothing counts that was not read or not understood (DEC-38).
    """

    name: str
    status: Status
    value: FeatureValue | None = None
    model_value: FeatureValue | None = None
    unit: str = ""
    time: datetime | None = None
    date_only: bool = False
    source: str | None = None
    reason: str | None = None
    flags: tuple[str, ...] = ()
    recorded_value: float | None = None
    recorded_unit: str | None = None
    comparator: str | None = None
    possible: tuple[float, float] | None = None
    could_be: tuple[FeatureValue, ...] = ()
    definition: FeatureDefinition | None = None

    @property
    def usable(self) -> bool:
        """Whether a model may be given this value."""
        return self.status in ("used", "used-with-conversion")


Features = dict[str, Feature]
