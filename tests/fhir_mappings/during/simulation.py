"""Invented cases played as they would come: when what leaves its band is marked, and what is marked for nothing.

`python -m tests.fhir_mappings.during.simulation` writes the table of docs/during.md.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from msgspec import Struct

from cds_service.demo.invented_cases import InventedCase, Leaves, Reading, Trick, beyond, observations
from fhir_mappings.during import artefact_rules
from fhir_mappings.during.artefacts import without_artefacts
from fhir_mappings.during.assembling import course_of
from fhir_mappings.during.course import CaseTimes, CourseEntry
from fhir_mappings.during.entries import read_entry, reader
from fhir_mappings.during.limits import BY_NAME
from fhir_mappings.during.limits import LIMITS as LIMITS_TOLD
from fhir_mappings.during.notices import Notice, notices

DOCUMENT = Path(__file__).parents[3] / "docs" / "during.md"
BEGIN = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
ZERO = BEGIN.timestamp()
LOOKED_EVERY_S, LOOKED_BACK_S = 5, 420
SIGNALS: dict[str, tuple[Reading, float]] = {
    "map-below-65": ("mean-pressure", 65.0),
    "spo2-below-90": ("spo2", 90.0),
}
_LOOKED_AT = {"mean-pressure", "spo2"}
LIMITS = [BY_NAME[name] for name in SIGNALS]


class Played(Struct, frozen=True):
    """Of one case: seconds that each deviation could be seen until its mark (None: never), and marks for nothing."""

    hours: float
    delays: tuple[float | None, ...]
    false: int


def _looks(case: InventedCase, seed: int, every_s: int, *, cleaned: bool) -> Iterator[tuple[int, tuple[Notice, ...]]]:
    """What is marked at each look at the running case, as a page would look: only what has come until then."""
    by = reader("p", ZoneInfo("UTC"))
    held: deque[tuple[int, CourseEntry]] = deque()
    looked = 0
    for second, content in observations(case, BEGIN, "p", seed=seed, every_s=every_s):
        while second >= looked + LOOKED_EVERY_S:
            looked += LOOKED_EVERY_S
            while held and held[0][0] < looked - LOOKED_BACK_S:
                held.popleft()
            yield looked, _marked(held, looked, cleaned=cleaned)
        entry = read_entry(json.dumps(content).encode(), by)
        if entry is not None and any(signal in _LOOKED_AT for signal, _, _ in entry.samples):
            held.append((second, entry))


def _marked(held: deque[tuple[int, CourseEntry]], looked: int, *, cleaned: bool) -> tuple[Notice, ...]:
    begin = ZERO + max(0, looked - LOOKED_BACK_S)
    course = course_of((entry for _, entry in held), CaseTimes(begin, None), ZERO + looked)
    return notices(without_artefacts(course) if cleaned else course, {}, LIMITS)


def _seen_for(case: InventedCase, signal: Reading, begin: int, looked: int) -> float:
    """For how long a deviation that began then could be seen at a look.

    A cuff knows nothing between two inflations, a line nothing while it is flushed or open to air, or leaps.
    """
    if signal != "mean-pressure":
        return looked - begin
    if not case.line:
        return looked - -(-begin // case.cuff_s) * case.cuff_s
    spans = ((max(one.begin, begin), min(one.begin + one.lasts_s, looked)) for one in case.tricks)
    return looked - begin - sum(max(0, until - since) for since, until in spans)


def play(case: InventedCase, seed: int, *, every_s: int = 5, cleaned: bool = True) -> Played:
    """One case from its first value to its last; delays from when a deviation could first be seen.

    `cleaned`: whether artefacts are set aside, as they are everywhere but for comparison.
    """
    true = {name: beyond(case, signal, limit) for name, (signal, limit) in SIGNALS.items()}
    found: dict[tuple[str, int], float] = {}
    false: set[tuple[str, int]] = set()
    for looked, marked in _looks(case, seed, every_s, cleaned=cleaned):
        for notice in marked:
            name, since = notice.limit.name, notice.begin - ZERO
            until = looked if notice.end is None else notice.end - ZERO
            hits = [begin for begin, end in true[name] if since <= end and until >= begin - 30]
            for begin in hits:
                found.setdefault((name, begin), _seen_for(case, SIGNALS[name][0], begin, looked))
            if not hits:
                false.add((name, round(since / 60)))
    delays = tuple(found.get((name, begin)) for name, spans in true.items() for begin, _ in spans)
    return Played(case.minutes / 60, delays, len(false))


def _case(
    name: str, minutes: int, leaves: tuple[Leaves, ...], moves: float, draw: random.Random, *, cuff: int = 0
) -> InventedCase:
    looks = ("flush", "disconnection", "spike")
    lasting = {"flush": (4, 12), "disconnection": (10, 120), "spike": (2, 20)}
    tricks = []
    if not cuff:
        for at in range(600, minutes * 60, 900):
            kind = draw.choice(looks)
            tricks.append(Trick(kind, at + draw.randint(0, 600), draw.randint(*lasting[kind])))  # type: ignore[arg-type]
    return InventedCase(
        id=name, story="", minutes=minutes, planned_minutes=minutes, leaves=leaves, tricks=tuple(tricks),
        line=not cuff, cuff_s=cuff, moves=moves,
    )  # fmt: skip


def quiet(number: int, minutes: int, moves: float) -> InventedCase:
    """Nothing leaves its band; every quarter of an hour something looks like it."""
    return _case(f"quiet-{number}-{moves:g}", minutes, (), moves, random.Random(number))


def falling(number: int, *, cuff: int = 0) -> InventedCase:
    """Two falls of the mean pressure and one of the saturation, of another depth, pace and length each."""
    draw = random.Random(1000 + number)
    pace = draw.choice((20.0, 60.0, 120.0))
    leaves = (
        Leaves("mean-pressure", 600 + draw.randint(0, 300), draw.randint(240, 600), draw.uniform(45, 58), pace),
        Leaves("spo2", 1500 + draw.randint(0, 300), draw.randint(120, 300), draw.uniform(78, 86), 40.0),
        Leaves("mean-pressure", 2400 + draw.randint(0, 300), draw.randint(240, 600), draw.uniform(50, 58), pace),
    )
    return _case(f"falling-{number}", 60, leaves, 3.0, draw, cuff=cuff)


def row(words: str, played: list[Played]) -> str:
    """One line of the table."""
    hours = sum(one.hours for one in played)
    delays = [delay for one in played for delay in one.delays]
    seen = sorted(delay for delay in delays if delay is not None)
    within = sum(delay <= 60 for delay in seen)
    false = sum(one.false for one in played)
    found = f"{within} of {len(delays)}" if delays else "none to find"
    times = f"{median(seen):.0f} s, {seen[-1]:.0f} s" if seen else "–"
    return f"| {words} | {hours:.0f} | {found} | {times} | {false} | {10 * false / hours:.1f} |"


def table() -> str:
    """The whole table; some minutes."""
    lines = [
        "| played | hours | found within 60 s | median and longest | marked for nothing | in 10 hours |",
        "|--|--|--|--|--|--|",
    ]
    for moves in (3.0, 6.0):
        played = [play(quiet(number, 120, moves), number) for number in range(10)]
        lines.append(row(f"quiet, pressure moves by {moves:g} mmHg (standard deviation) about 84", played))
    lines.append(
        row("arterial line, two falls of pressure and one of saturation", [play(falling(n), n) for n in range(20)])
    )
    raw = [play(quiet(number, 120, 3.0), number, cleaned=False) for number in range(5)]
    lines.append(row("quiet, 3 mmHg, artefacts left in (for comparison)", raw))
    cuffs = [play(falling(n, cuff=180), n) for n in range(20)]
    lines.append(row("cuff every 3 minutes, the same; time from the first inflation that could show it", cuffs))
    return "\n".join(lines) + "\n"


def rules_table() -> str:
    """The rules for artefacts as a table."""
    rows = [f"| `{rule.name}` | {rule.words} | {rule.source} |" for rule in artefact_rules.RULES.values()]
    return "\n".join(["| rule | what it touches, and what does not count then | source |", "|--|--|--|", *rows]) + "\n"


def limits_table() -> str:
    """The limits as a table."""
    rows = [f"| `{limit.name}` | {limit.words} | {limit.source} |" for limit in LIMITS_TOLD]
    return "\n".join(["| limit | what is told | source |", "|--|--|--|", *rows]) + "\n"


QUICK = {"rules": rules_table, "limits": limits_table}


def between(text: str, name: str) -> str:
    """What stands in the page between the marks of one table."""
    return text.partition(f"<!-- {name}: begin -->\n")[2].partition(f"<!-- {name}: end -->\n")[0]


def main() -> None:
    """Write the tables into the page."""
    made = {name: write() for name, write in (QUICK | {"simulation": table}).items()}
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, lines in made.items():
        mark = f"<!-- {name}: begin -->\n"
        text = text.replace(mark + between(text, name), mark + lines)
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
