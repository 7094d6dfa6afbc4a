"""So many people as so many dots, those whom it concerns filled: a risk that can be counted."""

from __future__ import annotations

import msgspec
from markupsafe import Markup

from cds_service.pages import axis
from models_onnx.score import Range

_PITCH = 10
_COLUMNS = {100: 20, 1000: 50}


class Array(msgspec.Struct, frozen=True):
    """One picture with its caption."""

    caption: str
    picture: Markup


def array(whom: str, limits: Range, of: int) -> Array:
    """`of` (100 or 1,000) people: filled the least that is known, rings as far as what is not known may reach."""
    least, most = (_people(end, of) for end in (limits.low, limits.high))
    told = f"{axis.between(limits.low, limits.high, of)} of {of:,}"
    columns = _COLUMNS[of]
    parts = [_dots("icon-rest", most, of, columns), _dots("icon-filled", 0, least, columns)]
    parts += [_dots(kind, least, most, columns) for kind in ("icon-possible", "icon-hole")]  # rings
    picture = Markup('<svg class="icons" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _PITCH * columns, _PITCH * of // columns, f"{whom}: {told} people", Markup("").join(parts)
    )
    return Array(f"{whom}: {told}", picture)


def _people(probability: float, of: int) -> int:
    """As many as the words say; "under 1" is none."""
    told = axis.count(probability, of)
    return 0 if told.startswith("under") else int(told.replace(",", ""))


def _dots(kind: str, first: int, last: int, columns: int) -> Markup:
    """One path of round dots, from one place to before another, row by row."""
    if first >= last:
        return Markup("")
    path = "".join(f"M{x} {y}h0" for x, y in (_spot(number, columns) for number in range(first, last)))
    return Markup('<path class="{}" d="{}"/>').format(kind, path)


def _spot(number: int, columns: int) -> tuple[int, int]:
    return _PITCH * (number % columns) + _PITCH // 2, _PITCH * (number // columns) + _PITCH // 2
