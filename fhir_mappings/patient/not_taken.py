"""Statements that a medicine is not taken: which prescriptions of the same ingredient they beat (inputs 6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhir_mappings.fhir.dates import Moment
from fhir_mappings.terminology.drug_classes import Drug, atc_of, groups_of, is_substance

Names = frozenset[str]
Key = str | Names


class _WhenSaid:
    """When each thing was said last. Of times told to the day, month or year the surest and the widest are kept."""

    __slots__ = ("_dated", "_undated")

    def __init__(self) -> None:
        self._dated: dict[Key, tuple[Moment, Moment]] = {}
        self._undated: set[Key] = set()

    def add(self, keys: Iterable[Key], said: Moment | None) -> None:
        """One statement; one of no known time may be later than any prescription."""
        if said is None:
            self._undated.update(keys)
            return
        for key in keys:
            surest, widest = self._dated.get(key, (said, said))
            surest = max(surest, said, key=lambda one: (one.first, one.time))
            self._dated[key] = surest, max(widest, said, key=lambda one: (one.last, one.time))

    def later(self, keys: Iterable[Key], prescribed: Moment | None) -> Iterator[bool | None]:
        """Of each that was said whether that was after the prescription."""
        for key in keys:
            yield from (_is_later(said, prescribed) for said in self._dated.get(key, ()))
            if key in self._undated:
                yield None

    def __bool__(self) -> bool:
        return bool(self._dated or self._undated)


class Refusals:
    """What the patient is said not to take: one entry for each substance, however many statements there are of it.

    `whole`: by substance, and by all that a combination has, what is refused; `parts`: by name what a product has of
    which more is told than that: another product of the same ingredient may be taken.
    """

    __slots__ = ("_parts", "_whole")

    def __init__(self) -> None:
        self._whole, self._parts = _WhenSaid(), _WhenSaid()

    def add(self, said: Moment | None, drug: Drug) -> None:
        """One statement: of one substance, or of the combination that it names."""
        substances = _substances(drug)
        self._whole.add(substances if len(substances) == 1 else [substances], said)
        self._parts.add(drug.ingredients, said)

    def left_of(self, drug: Drug, prescribed: Moment | None) -> tuple[Drug, bool]:
        """The drug without the ingredients that are later said not to be taken, and whether all doubt of it is that.

        Where it cannot be told which of the two is the later, or whether what is said not to be taken means this one
        (a group of drugs, a combination, another product of the ingredient), it may be taken.
        """
        if not self._parts:
            return drug, False
        substances = _substances(drug)
        beaten = {one: self._is_beaten(one, drug, substances, prescribed) for one in drug.ingredients}
        gone = {ingredient for ingredient, is_beaten in beaten.items() if is_beaten}
        open_ = {ingredient for ingredient, is_beaten in beaten.items() if is_beaten is None}
        if not (gone or open_):
            return drug, False
        classes = tuple(pair for pair in drug.classes if pair[1] not in gone | open_)
        left = drug.ingredients - gone
        maybe = {name for name, ingredient in drug.classes if ingredient in open_}
        possible = (drug.possible if left else frozenset()) | maybe | drug.unnamed
        rest = Drug(classes, left - open_, possible - {name for name, _ in classes}, drug.unnamed)
        return rest, bool(maybe) and rest.possible <= maybe

    def _is_beaten(self, ingredient: str, drug: Drug, substances: Names, prescribed: Moment | None) -> bool | None:
        """Whether the ingredient is later said not to be taken; None where that is not known."""
        codes = atc_of(ingredient)
        same = _substance_of(ingredient, drug.ingredients)
        if True in (said := set(self._whole.later((same, substances), prescribed))):
            return True
        wider = {ingredient, *codes}.union(groups_of(ingredient), *map(groups_of, codes))
        said |= set(self._parts.later(wider, prescribed))
        return None if said - {False} else False


def _substances(drug: Drug) -> Names:
    """Each ingredient once: by the code of ATC that is told of it, else by its name."""
    return frozenset(_substance_of(one, drug.ingredients) for one in drug.ingredients)


def _substance_of(ingredient: str, told: Names) -> str:
    codes = [code for code in atc_of(ingredient) if is_substance(code)]
    those = [code for code in codes if code in told]
    known = those or codes
    return known[0] if len(known) == 1 else ingredient


def _is_later(said: Moment, prescribed: Moment | None) -> bool | None:
    """Whether it was said after the prescription, on the same day at the earliest; None where that is not known."""
    if prescribed is None:
        return None
    if said.precision == prescribed.precision == "time":
        return said.time >= prescribed.time
    if said.first >= prescribed.last:
        return True
    return False if said.last < prescribed.first else None
