"""Statements that a medicine is not taken: which prescriptions of the same ingredient they beat (inputs 6)."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.fhir.dates import Moment
from fhir_mappings.terminology.drug_classes import Drug, atc_of, groups_of, is_substance
from fhir_mappings.terminology.understanding import Why


class Refusals:
    """What the patient is said not to take, by ingredient: for each when that was said last.

    Of times told to the day, month or year the surest and the widest are kept: one entry for each ingredient, however
    many statements there are of it.
    """

    __slots__ = ("_said", "_undated")

    def __init__(self) -> None:
        self._said: dict[str, tuple[Moment, Moment]] = {}
        self._undated: set[str] = set()

    def add(self, said: Moment | None, drug: Drug) -> None:
        """One statement; one of no known time may be later than any prescription."""
        if said is None:
            self._undated |= drug.ingredients
            return
        for ingredient in drug.ingredients:
            surest, widest = self._said.get(ingredient, (said, said))
            surest = max(surest, said, key=lambda one: (one.first, one.time))
            self._said[ingredient] = surest, max(widest, said, key=lambda one: (one.last, one.time))

    def left_of(self, drug: Drug, prescribed: Moment | None) -> tuple[Drug, Why | None]:
        """The drug without the ingredients that are later said not to be taken.

        Where it cannot be told which of the two is the later, or whether a group of drugs that is said not to be taken
        means this one, it may be taken, and "unread" says why that is not known.
        """
        if not (self._said or self._undated):
            return drug, None
        beaten = {ingredient: self._is_beaten(ingredient, prescribed) for ingredient in drug.ingredients}
        gone = {ingredient for ingredient, is_beaten in beaten.items() if is_beaten}
        open_ = {ingredient for ingredient, is_beaten in beaten.items() if is_beaten is None}
        if not (gone or open_):
            return drug, None
        classes = tuple(pair for pair in drug.classes if pair[1] not in gone | open_)
        left = drug.ingredients - gone
        maybe = {name for name, ingredient in drug.classes if ingredient in open_}
        possible = (drug.possible if left else frozenset()) | maybe | drug.unnamed
        rest = Drug(classes, left - open_, possible - {name for name, _ in classes}, drug.unnamed)
        return rest, "unread" if maybe else None

    def _is_beaten(self, ingredient: str, prescribed: Moment | None) -> bool | None:
        """Whether the ingredient is later said not to be taken; None where that is not known."""
        codes = atc_of(ingredient)
        same = {ingredient, *codes} if len(codes) == 1 and is_substance(*codes) else {ingredient}
        said = set(self._later(same, prescribed))
        if True in said:
            return True
        wider = codes.union(groups_of(ingredient), *map(groups_of, codes))
        said |= set(self._later(wider - same, prescribed))
        return None if said - {False} else False

    def _later(self, names: set[str] | frozenset[str], prescribed: Moment | None) -> Iterator[bool | None]:
        """Of each that is said not to be taken whether that was said after the prescription."""
        for name in names:
            yield from (_is_later(said, prescribed) for said in self._said.get(name, ()))
            if name in self._undated:
                yield None


def _is_later(said: Moment, prescribed: Moment | None) -> bool | None:
    """Whether it was said after the prescription, on the same day at the earliest; None where that is not known."""
    if prescribed is None:
        return None
    if said.precision == prescribed.precision == "time":
        return said.time >= prescribed.time
    if said.first >= prescribed.last:
        return True
    return False if said.last < prescribed.first else None
