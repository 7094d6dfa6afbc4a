"""The catalogue of suggestions as data: catalogue/*.yaml, read strictly; a row that cannot be right stops the start."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from cds_service.advice.operation_attributes import Attribute
from fhir_mappings.features.features import FEATURES
from fhir_mappings.features.iron_status import DEFINITIONS as RESULTS
from fhir_mappings.orders.order_catalogue import ORDERABLES
from fhir_mappings.results.feature import FeatureDefinition
from models_onnx import data_files
from models_onnx.data_files import DataFileError

DIRECTORY = Path(__file__).with_name("catalogue")
REVIEW_EVERY_DAYS = 365

Kind = Literal["test", "screen", "referral", "plan", "conversation"]
# How strong the evidence is, strongest first: it is told on the card, and ranks the options.
Grade = Literal["recommended", "reasonable", "consensus", "association", "insufficient", "local"]
GRADES: tuple[Grade, ...] = ("recommended", "reasonable", "consensus", "association", "insufficient", "local")
# What happens in the operation if nobody acts: of rows of one grade the first of these stands first.
Threat = Literal["heart", "bleeding", "other"]
THREATS: tuple[Threat, ...] = ("heart", "bleeding", "other")


class CatalogueError(Exception):
    """A row of the catalogue cannot be used; the message names the row and what is wrong."""


class Trigger(msgspec.Struct, frozen=True, eq=False, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """When an option is offered: one fact about the patient or the operation, or `all`/`any` of several.

    A feature is compared in its canonical unit; one that is not usable fulfils nothing but `not_done`:
    searched, and nothing found inside its window. `is_` reads `is` in the file. `result`: a number that no model
    reads. `performed`: a procedure inside its window. `known`: there is a usable value, whatever it is. `warned`: the
    card is a warning.
    """

    all: tuple[Trigger, ...] = ()
    any: tuple[Trigger, ...] = ()
    feature: str | None = None
    diagnosis: str | None = None
    medicine: str | None = None
    result: str | None = None
    result_done: str | None = None
    result_not_done: str | None = None
    performed: str | None = None
    operation: Attribute | None = None
    band: str | None = None
    warned: bool = False
    is_: bool | str | None = msgspec.field(default=None, name="is")
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    older_than_days: float | None = None
    known: bool = False
    not_done: bool = False
    setting: Literal["hba1c_percent", "hba1c_percent_spine"] | None = None


class Demographics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a row uses each of the nine items of 45 CFR 170.315(b)(11)(iv)(A)(5)-(13)."""

    race: str = "not used"
    ethnicity: str = "not used"
    language: str = "not used"
    sexual_orientation: str = "not used"
    gender_identity: str = "not used"
    sex: str = "not used"
    date_of_birth: str = "not used"
    social_determinants: str = "not used"
    health_status: str = "not used"


class Caution(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is told beside an option where its own trigger holds, with the fact that it rests on."""

    when: Trigger
    say: str


class Proof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How strong the evidence is, in words for a card, and where it stands."""

    grade: Grade
    evidence: str
    citation: str
    source_date: str


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One option. `consider` completes "Consider ..."; `because` is said where no value is the reason.

    `number`: the row of the clinical catalogue that it carries out. `orders`: the first is drafted.
    `unless_requested`: orderables that make the row superfluous. `lead_days`: hidden where the operation is known to be
    sooner. `treats`: not offered where its reason was assumed (A-10). `opt_in`: only where the tenant names it.
    `opens`: it opens a card by itself in production (DEC-39). `acts`: it rests on a finding, a medicine or the risk
    itself, which somebody can act on before the operation, and stands before every test and screen. `elsewhere`: the
    evidence for another operation than one of the spine, where the row's own is about the spine.
    """

    id: str
    number: int
    kind: Kind
    trigger: Trigger
    consider: str
    lead_days: int
    grade: Grade
    evidence: str
    citation: str
    source_date: str
    because: str = ""
    cautions: tuple[Caution, ...] = ()
    orders: tuple[str, ...] = ()
    unless: Trigger | None = None
    unless_requested: tuple[str, ...] = ()
    treats: bool = False
    opt_in: bool = False
    opens: bool = False
    acts: bool = False
    threat: Threat = "other"
    elsewhere: Proof | None = None
    demographics: Demographics = Demographics()

    def proof(self, operation: Collection[Attribute]) -> Row | Proof:
        """The evidence that fits this operation."""
        return self if self.elsewhere is None or "spine" in operation else self.elsewhere

    @property
    def trigger_is_dated(self) -> bool:
        """Whether the row fires because a value is old, which is told beside the value."""
        return any(part.older_than_days is not None for part in parts(self.trigger))


class Theme(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file: the rows of one theme, and who answers for them."""

    theme: str
    developer: str
    funding: str
    owner: str
    reviewer: str
    released: datetime.date
    reviewed: datetime.date
    rows: tuple[Row, ...]

    @property
    def next_review(self) -> datetime.date:
        """The day by which the rows must have been reviewed again."""
        return self.reviewed + datetime.timedelta(days=REVIEW_EVERY_DAYS)


class Catalogue(msgspec.Struct, frozen=True, eq=False, dict=True):
    """All themes; the rows in the order of the files."""

    themes: tuple[Theme, ...]

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every row."""
        return tuple(row for theme in self.themes for row in theme.rows)


def load(directory: Path = DIRECTORY) -> Catalogue:
    """The catalogue; raises CatalogueError naming the file or row that cannot be used."""
    catalogue = Catalogue(tuple(_theme(path) for path in sorted(directory.glob("*.yaml"))))
    ids = [row.id for row in catalogue.rows]
    for row in catalogue.rows:
        if ids.count(row.id) > 1:
            raise CatalogueError(f"{row.id}: the id is used twice")
        for problem in problems(row):
            raise CatalogueError(f"{row.id}: {problem}")
    return catalogue


def _theme(path: Path) -> Theme:
    try:
        return data_files.read_yaml(path, Theme)
    except (OSError, DataFileError) as error:
        raise CatalogueError(str(error)) from error


def parts(trigger: Trigger) -> Iterator[Trigger]:
    """The trigger and all that it is made of."""
    yield trigger
    for part in (*trigger.all, *trigger.any):
        yield from parts(part)


def problems(row: Row, features: Mapping[str, FeatureDefinition] = FEATURES) -> Iterator[str]:
    """What is wrong with a row; `features`: those that there are, a site's own among them."""
    for name in (*row.orders, *row.unless_requested):
        if name not in ORDERABLES:
            yield f"nothing that can be ordered is called {name}"
    triggers = [*parts(row.trigger), *(parts(row.unless) if row.unless else ())]
    cautions = [part for caution in row.cautions for part in parts(caution.when)]
    for part in (*triggers, *cautions):
        yield from _trigger_problems(part, features)
    if row.opens and not _may_open(row):
        yield "it opens a card without an abnormal finding, or on evidence that does not carry that (DEC-39)"
    if (row.opens and not row.acts) or (row.acts and not _may_act(row)):
        yield "it stands first where there is something to act on: no test or screen, and nothing that is missing"
    if not row.because and not _tells_a_driver(parts(row.trigger)):
        yield "it names no reason (A-08)"
    for name, item in (("age", row.demographics.date_of_birth), ("sex", row.demographics.sex)):
        reads = any(part.feature == name for part in triggers)
        if reads != (item != "not used"):
            yield f"its use of {name} and its source attributes differ"


def _may_open(row: Row) -> bool:
    """What is missing, a band, and a policy or an unproven gain open no card."""
    by_estimate = any(part.band or part.warned for part in parts(row.trigger))
    return not (_asks(row) or by_estimate or row.opt_in) and row.grade not in ("insufficient", "local")


def _may_act(row: Row) -> bool:
    return not _asks(row) and row.kind not in ("test", "screen")


def _asks(row: Row) -> bool:
    """Whether it rests on something that was not done."""
    return any(part.not_done or part.result_not_done for part in parts(row.trigger))


def _trigger_problems(part: Trigger, features: Mapping[str, FeatureDefinition]) -> Iterator[str]:
    tests = (part.result, part.result_done, part.result_not_done)
    subjects = (part.feature, part.diagnosis, part.medicine, *tests, part.performed, part.operation, part.band)
    given = sum(subject is not None for subject in subjects) + bool(part.all) + bool(part.any) + part.warned
    if given != 1:
        yield f"a trigger names {given} facts instead of one"
    if part.feature is not None:
        yield from _feature_problems(part, features.get(part.feature))
    if part.result is not None:
        if part.not_done:
            yield f"{part.result}: of a result say result_not_done"
        yield from _feature_problems(part, RESULTS.get(part.result))


def _feature_problems(part: Trigger, definition: FeatureDefinition | None) -> Iterator[str]:
    name = part.feature or part.result
    if definition is None:
        yield f"there is no feature {name}"
        return
    numeric = any(limit is not None for limit in (part.above, part.at_least, part.below, part.setting))
    of_any_kind = (part.not_done, part.known, part.older_than_days is not None)
    if sum((numeric, part.is_ is not None, *of_any_kind)) != 1:
        yield f"{name}: say one of a limit, is, known, not_done, older_than_days"
    if numeric != (definition.kind == "number") and not any(of_any_kind):
        yield f"{name} is a {definition.kind}"
    if isinstance(part.is_, str) and part.is_ not in definition.categories:
        yield f"{name} is never {part.is_}"


def _tells_a_driver(triggers: Iterable[Trigger]) -> bool:
    return any(
        (part.feature and not part.not_done) or part.diagnosis or part.medicine or part.performed for part in triggers
    )


def citation(row: Row) -> str:
    """Where its evidence stands, for every operation."""
    return f"{row.citation}. Elsewhere than at the spine: {row.elsewhere.citation}" if row.elsewhere else row.citation


def source_attributes(theme: Theme, row: Row) -> dict[str, str]:
    """The 13 source attributes of an evidence-based intervention, 45 CFR 170.315(b)(11)(iv)(A), none of them empty."""
    return {
        "citation": citation(row),
        "developer": theme.developer,
        "funding": theme.funding,
        "dates": f"source {row.source_date}; released {theme.released}; reviewed {theme.reviewed};"
        f" next review by {theme.next_review}",
        **msgspec.to_builtins(row.demographics),
    }
