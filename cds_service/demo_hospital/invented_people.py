"""Who is operated on in the invented hospital, and what truly happens to them: every number here is made up.

The truth does not come from a served model: it is drawn from a logistic model of its own (`_truth`), so that reports
find models that are a little wrong, as models are at a new site. The same seed gives the same people on every machine.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from random import Random
from typing import TypeVar

import msgspec

T = TypeVar("T")

SEED = 20_260_629
FIRST_DAY = date(2025, 9, 1)  # a Monday
WEEKS, PER_WEEK = 40, 50
OPERATIONS = WEEKS * PER_WEEK
# From this week on (counted from 1) the hospital shows cards; before it, everything is silent.
SHOWN_FROM = 29

# What goes wrong in the invented hospital, by week from 1: monitoring has to find each.
UNIT_CHANGE = range(31, 33)  # haemoglobin arrives in mmol/L and is still called g/dL
NEW_CODE = range(35, 39)  # one order in five carries a code that no map knows
SICKER = range(37, 41)  # people are older and have a higher ASA class
BROKEN_KEY_DAY = (33, 2)  # week and weekday (0: Monday) on which no prefetch holds laboratory results

# By procedure group: an ICD-10-PCS code of it, its share of the orders, how far it moves a complication's logit.
GROUPS = (
    ("spine-fusion", "0SG00AJ", 0.40, 0.5),
    ("spine-decompression", "01NB0ZZ", 0.40, -0.3),
    ("hip-arthroplasty", "0SR90JZ", 0.12, 0.0),
    ("knee-arthroplasty", "0SRC0J9", 0.08, -0.1),
)
# ICD-10-CM, how common at 65, and how far it moves the logit of a complication.
DISEASES = (
    ("I10", 0.55, 0.05),
    ("E11.9", 0.20, 0.25),
    ("J44.9", 0.12, 0.40),
    ("I50.9", 0.06, 0.60),
    ("I25.10", 0.14, 0.30),
    ("N18.3", 0.09, 0.35),
    ("M54.50", 0.45, 0.0),
    ("F32.9", 0.15, 0.0),
)
_COMPLICATION, _DEATH = -2.75, -6.6
RACES = (("2106-3", "White", 0.72), ("2054-5", "Black or African American", 0.15), ("2028-9", "Asian", 0.06))
LANGUAGES = (("en", 0.86), ("es", 0.09))
LOST, UNKNOWN = 0.04, 0.03  # not followed to the end; nothing was ever said


class Truth(msgspec.Struct, frozen=True):
    """What happens and how likely it was: by outcome the probability, and the days after the operation if it does."""

    probability: dict[str, float]
    days_after: dict[str, int | None]
    followed_days: int | None


class InventedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of one person; each person has one. `ordered`, `operated`: days; `hour` of the first order."""

    number: int
    week: int
    ordered: date
    operated: date
    hour: float
    group: str
    code: str
    age: int
    is_female: bool
    race: tuple[str, str] | None
    is_hispanic: bool | None
    language: str | None
    asa: int
    has_asa: bool
    diseases: tuple[str, ...]
    haemoglobin: float
    has_results: bool
    creatinine: float
    bmi: float
    truth: Truth

    @property
    def id(self) -> str:
        """As the hospital's own record names the person."""
        return f"hospital-{self.number:04d}"


def people() -> tuple[InventedPerson, ...]:
    """Everybody, in the order in which they are operated on."""
    return tuple(person(number) for number in range(OPERATIONS))


def person(number: int) -> InventedPerson:
    """One of them; the number decides everything."""
    draw = Random(f"{SEED}-{number}")  # noqa: S311 — invented people are to be the same again
    week = number // PER_WEEK + 1
    ordered = FIRST_DAY + timedelta(days=7 * (week - 1) + draw.randrange(5))
    group, code, _, _ = _weighted(draw, GROUPS, [weight for _, _, weight, _ in GROUPS])
    is_sicker = week in SICKER
    age = min(92, max(19, round(draw.gauss(63 + 4 * is_sicker, 13))))
    chance = [common * min(1.6, max(0.2, age / 65)) for _, common, _ in DISEASES]
    diseases = tuple(name for (name, _, _), p in zip(DISEASES, chance, strict=True) if draw.random() < p)
    burden = (age - 63) / 20 + 0.45 * len(diseases) + draw.gauss(0, 0.8) + 0.5 * is_sicker
    asa = 1 if burden < -0.4 else 2 if burden < 1.0 else 3 if burden < 2.8 else 4
    is_female = draw.random() < 0.52
    haemoglobin = round(draw.gauss(13.2 if is_female else 14.4, 1.3) - 0.3 * (asa - 2), 1)
    return InventedPerson(
        number=number,
        week=week,
        ordered=ordered,
        operated=ordered + timedelta(days=draw.randint(7, 25)),
        hour=round(draw.uniform(7.5, 16.5), 3),
        group=group,
        code=code,
        age=age,
        is_female=is_female,
        race=_race(draw),
        is_hispanic=None if draw.random() < 0.1 else draw.random() < 0.12,
        language=_weighted(draw, (*(name for name, _ in LANGUAGES), None), [*(p for _, p in LANGUAGES), 0.05]),
        asa=asa,
        has_asa=draw.random() < 0.85,
        diseases=diseases,
        haemoglobin=haemoglobin,
        has_results=draw.random() < 0.75,
        creatinine=round(max(0.4, draw.gauss(0.95, 0.2) + (0.8 if "N18.3" in diseases else 0)), 2),
        bmi=round(min(58, max(16, draw.gauss(29, 5.5))), 1),
        truth=_truth(draw, group, age, asa, diseases, haemoglobin),
    )


def _truth(draw: Random, group: str, age: int, asa: int, diseases: tuple[str, ...], haemoglobin: float) -> Truth:
    """Nothing here is a finding: the coefficients are chosen so that about one in eight has a complication."""
    moved = {name: effect for name, _, effect in DISEASES}
    shared = 0.018 * (age - 63) + 0.45 * (asa - 2) + sum(moved[one] for one in diseases) + 0.15 * (haemoglobin < 11.5)
    of_group = next(effect for name, _, _, effect in GROUPS if name == group)
    probability = {
        "any-complication": _expit(_COMPLICATION + of_group + shared),
        "30-day-death": _expit(_DEATH + 1.3 * shared),
    }
    days = {
        "any-complication": draw.randint(0, 9) if draw.random() < probability["any-complication"] else None,
        "30-day-death": draw.randint(1, 29) if draw.random() < probability["30-day-death"] else None,
    }
    said = draw.random()
    followed = None if said < UNKNOWN else draw.randint(3, 25) if said < UNKNOWN + LOST else draw.randint(30, 90)
    return Truth(probability, days, followed)


def _race(draw: Random) -> tuple[str, str] | None:
    known = [(code, words) for code, words, _ in RACES]
    return _weighted(draw, (*known, None), [*(p for _, _, p in RACES), 1 - sum(p for _, _, p in RACES)])


def _weighted(draw: Random, of: tuple[T, ...], weights: list[float]) -> T:
    return draw.choices(of, weights)[0]


def _expit(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
