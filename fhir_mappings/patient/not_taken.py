"""Statements that a medicine is not taken: which prescriptions of the same ingredient they beat (inputs 6)."""

from __future__ import annotations

from fhir_mappings.fhir.dates import Moment
from fhir_mappings.terminology.drug_classes import Drug
from fhir_mappings.terminology.understanding import Why


class Refusals:
    """What the patient is said not to take, by ingredient: for each when that was said last.

    Of times told to the day, month or year the surest and the widest are kept: one entry for each ingredient, however
    many statements there are of it.
    """

    __slots__ = ("_said",)

    def __init__(self) -> None:
        self._said: dict[str, tuple[Moment, Moment]] = {}

    def add(self, said: Moment | None, drug: Drug) -> None:
        """One statement; that of no known time beats nothing."""
        if said is None:
            return
        for ingredient in drug.ingredients:
            surest, widest = self._said.get(ingredient, (said, said))
            surest = max(surest, said, key=lambda one: (one.first, one.time))
            self._said[ingredient] = surest, max(widest, said, key=lambda one: (one.last, one.time))

    def left_of(self, drug: Drug, prescribed: Moment | None) -> tuple[Drug, Why | None]:
        """The drug without the ingredients that are later said not to be taken.

        Where it cannot be told which of the two is the later, it may be taken, and "unread" says why that is not known.
        """
        if not self._said:
            return drug, None
        gone, open_ = set(), set()
        for ingredient in drug.ingredients & self._said.keys():
            is_later = {_is_later(said, prescribed) for said in self._said[ingredient]}
            if True in is_later:
                gone.add(ingredient)
            elif None in is_later:
                open_.add(ingredient)
        if not (gone or open_):
            return drug, None
        classes = tuple(pair for pair in drug.classes if pair[1] not in gone | open_)
        left = drug.ingredients - gone
        maybe = {name for name, ingredient in drug.classes if ingredient in open_}
        possible = (drug.possible if left else frozenset()) | maybe
        return Drug(classes, left - open_, possible - {name for name, _ in classes}), "unread" if maybe else None


def _is_later(said: Moment, prescribed: Moment | None) -> bool | None:
    """Whether it was said after the prescription, on the same day at the earliest; None where that is not known."""
    if prescribed is None:
        return None
    if said.precision == prescribed.precision == "time":
        return said.time >= prescribed.time
    if said.first >= prescribed.last:
        return True
    return False if said.last < prescribed.first else None
