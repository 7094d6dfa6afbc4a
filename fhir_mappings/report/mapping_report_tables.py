"""The tables of the mapping report's page: inputs by status, lists by what was understood, everything by volume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

from fhir_mappings.features import reasons
from fhir_mappings.report import bulk_files
from fhir_mappings.report.mapping_lists import LISTS, MISSED, READ, RESULTS
from fhir_mappings.report.mapping_report import MappingReport, statuses
from fhir_mappings.report.mapping_report_steps import BROKEN_WORDS, percent, persons
from fhir_mappings.results.feature import FeatureDefinition
from fhir_mappings.terminology.procedure_groups import GROUPS

_SHOWN = 200  # rows of a table on the page; the CSV has all
_STATUSES = {
    "used": "used",
    "used-with-conversion": "used, unit converted",
    "stale": "too old",
    "range": "range",
    "missing": "missing",
    "rejected": "rejected",
    "conflicting": "conflicting",
}
_ANSWERS = {"used": "yes", "none": "none recorded"}
_NAMES = {
    "conditions": "Diagnoses",
    "medications": "Medicines",
    "procedures": "Procedures",
    "reports": "Reports",
    RESULTS: "Results",
}
_WHY = {
    "system-not-read": "code system not read",
    "code-not-listed": "code in no list",
    "words-only": "words only",
    "masked": "withheld",
    "subject-unclear": "patient unclear",
    "modifier-unknown": "unknown modifier or status",
    "unread": "unreadable, or no information",
    "not-sent": "counted by the server, not sent",
}
_LOST = BROKEN_WORDS | {
    bulk_files.OTHER_FILE: "files of another kind, not read",
    bulk_files.OF_NOBODY: "resources that name no patient",
    bulk_files.NO_PATIENT: "people without a Patient resource",
}


def lists(report: MappingReport) -> str:
    """Per list: entries, how many were not understood, in how many people, and why."""
    entries, people = dict(report.entries), dict(report.people)
    rows = [_list_row(report, key, entries, people) for key in LISTS if (key, READ) in entries]
    if not rows:
        return "<p class=quiet>no entries in these data</p>"
    told = (
        "A yes-or-no input is “none recorded” only where every entry of its lists was understood; else it is a range, "
        "and every estimate that reads it too."
    )
    names = ("Entries", "Not understood", "People with all understood", "Median of the others")
    head = "".join(f"<th scope=col class=n>{one}" for one in names)
    table = (
        f"<table class=lists><thead><tr><th scope=col>List{head}<th scope=col>Why not, by entries</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
    return f"<p class=quiet>{told}</p><div class=scroll>{table}</div>"


def _list_row(
    report: MappingReport, key: str, entries: Mapping[tuple[str, ...], int], people: Mapping[tuple[str, ...], int]
) -> str:
    whole, missed, read = people.get(("whole", key), 0), entries.get((key, MISSED), 0), entries[key, READ]
    why = ", ".join(
        f"{_WHY[reason]} {count:,} ({persons(people['entries', key, reason])})"
        for (of, reason), count in report.entries
        if of == key and reason in _WHY
    )
    share = percent(whole / max(1, report.patients))
    middle = _median([(int(keys[1]), number) for keys, number in report.per_person if keys[0] == key])
    cells = [
        ("Entries", f"{read:,}"),
        ("Not understood", f"{missed:,} ({percent(missed / max(1, read))})"),
        ("People with all understood", f"{whole:,} ({share})"),
        ("Median of the others", middle),
    ]
    told = "".join(f'<td class=n data-name="{name}">{figure}</td>' for name, figure in cells)
    return f"<tr><th scope=row>{_NAMES[key]}</th>{told}<td class=why>{escape(why)}</td></tr>"


def _median(numbers: Sequence[tuple[int, int]]) -> str:
    """The middle of numbers that occur so often each; "" of none."""
    total, seen = sum(count for _, count in numbers), 0
    for number, count in sorted(numbers):
        seen += count
        if 2 * seen >= total:
            return f"{number:,}"
    return ""


def shown(report: MappingReport) -> tuple[str, ...]:
    """The inputs that were counted, in the order of the catalogue."""
    counted = {name for (name, _, _), _ in report.coverage}
    return tuple(name for name in report.inputs if name in counted)


def usable(report: MappingReport, name: str) -> float:
    """In which part of the patients an input has a value that may be used."""
    counted = statuses(report)[name]
    return (counted["used"] + counted["used-with-conversion"]) / max(1, counted.total())


def inputs(report: MappingReport) -> str:
    """Per input, in how many patients it ends in which status, and the most frequent reason where it has none."""
    answered = _ANSWERS | {one: _STATUSES[one] for one in ("range", "missing", "rejected")}
    key, answer_key = _key(_STATUSES), _key(answered)
    found = [report.inputs[name] for name in shown(report)]
    numbers = [one for one in found if one.kind != "yes-no"]
    answers = [one for one in found if one.kind == "yes-no"]
    told = "“None recorded” is an answer: it was searched for and nothing was found. If it is so of everybody, ask why."
    return (
        f"<p class=quiet>In how many of the {report.patients:,} patients each input ends in which status.</p>"
        f"<h3>Numbers and categories</h3>{key}{_input_table(report, numbers)}"
        f"<h3>Yes or no</h3><p class=quiet>{told}</p>{answer_key}{_input_table(report, answers)}"
    )


def _key(words: Mapping[str, str]) -> str:
    return "<ul class=key>" + "".join(f"<li><i class={one}></i>{told}</li>" for one, told in words.items()) + "</ul>"


def _input_table(report: MappingReport, rows: Sequence[FeatureDefinition]) -> str:
    yes = "<th scope=col class=n>Yes<th scope=col class=n>Range" if any(one.kind == "yes-no" for one in rows) else ""
    names = (
        f"<th scope=col>Input<th scope=col>Patients<th scope=col class=n>Usable{yes}<th scope=col>If not, most often"
    )
    head = f"<tr>{names}</tr>"
    body = "".join(_input_row(report, one) for one in rows)
    return f"<div class=scroll><table class=inputs><thead>{head}</thead><tbody>{body}</tbody></table></div>"


def _input_row(report: MappingReport, one: FeatureDefinition) -> str:
    counted, told_as = statuses(report)[one.name], _STATUSES
    total = max(1, counted.total())
    if one.kind == "yes-no":
        yes = dict(report.present).get((one.name,), 0)
        counted, told_as = counted + Counter({"none": counted["used"] - yes}), _ANSWERS | _STATUSES
        counted["used"] = yes
    stack = "".join(
        f'<i class={status} style="width:{100 * counted[status] / total:.2f}%" title="{words} {counted[status]:,}"></i>'
        for status, words in told_as.items()
        if counted[status]
    )
    told = ", ".join(f"{words} {counted[status]:,}" for status, words in told_as.items() if counted[status])
    why = next((keys for keys, _ in report.coverage if keys[0] == one.name and keys[2]), None)
    reason = ("an entry was not understood" if why[2] == MISSED else reasons.words(why[2])) if why else ""
    figures = (("Yes", counted["used"]), ("Range", counted["range"])) if one.kind == "yes-no" else ()
    present = "".join(f'<td class=n data-name="{name}">{number:,}</td>' for name, number in figures)
    return (
        f"<tr><th scope=row>{escape(one.label)}</th>"
        f'<td><div class=stack role=img aria-label="{escape(told)}">{stack}</div></td>'
        f"<td class=n>{percent(usable(report, one.name))}</td>{present}<td class=why>{escape(reason)}</td></tr>"
    )


def orders(report: MappingReport) -> str:
    """What the orders become, by their codes."""
    rows = [(_outcome(keys[0]), *_coded(keys[1:]), count) for keys, count in report.orders]
    return _volume(("Becomes", "System", "Code"), rows, "no orders in these data")


def _outcome(outcome: str) -> str:
    if outcome in GROUPS:
        return f"<span class='mark good'>{escape(GROUPS[outcome].label)}</span>"
    kind = "" if outcome == "not-surgical" else "stop"
    return f"<span class='mark {kind}'>{escape(outcome.replace('-', ' '))}</span>"


def unmapped(report: MappingReport) -> str:
    """The codes that are not understood, with the entries and the people they concern."""
    people = dict(report.people)
    rows = [
        (_NAMES[keys[0]], *_coded(keys[1:]), count, people.get(("unmapped", *keys), 0))
        for keys, count in report.unmapped
    ]
    return _volume(("List", "System", "Code"), rows, "none")


def _coded(pair: Sequence[str]) -> tuple[str, str]:
    system, code = pair
    if not system and not code:
        return "<span class=quiet>words only</span>", ""
    return f"<code>{escape(system) or 'no system'}</code>", f"<code>{escape(code)}</code>"


def units(report: MappingReport) -> str:
    """The units that were refused, or assumed from the number."""
    told = {"unit-assumed": "no unit: assumed from the number"}
    rows = [
        (
            escape(report.inputs[name].label),
            f"<code>{escape(unit) or 'none'}</code>",
            escape(told.get(reason) or reasons.words(reason)),
            count,
        )
        for (name, unit, reason), count in report.units
    ]
    return _volume(("Input", "Unit as written", "Problem"), rows, "none")


def unread(report: MappingReport) -> str:
    """What was set aside, searches that failed, and what of the data was lost."""
    aside = [(escape(reasons.WORDS.get(one, one.replace("-", " "))), "", "", n) for (one,), n in report.set_aside]
    failed = [(escape(f"search for {key}"), escape(reasons.words(why)), "", n) for (key, why), n in report.searches]
    lost = [(escape(_LOST[what]), escape("".join(kind)), "", n) for (what, *kind), n in report.lost]
    return _volume(("What", "Why", ""), aside + failed + lost, "nothing")


def _volume(columns: Sequence[str], rows: Sequence[tuple[str | int, ...]], empty: str) -> str:
    """Rows by volume: three cells of HTML, a count and for some the people; each with its part of all and a bar."""
    if not rows:
        return f"<p class=quiet>{escape(empty)}</p>"
    counts = [int(row[3]) for row in rows]
    total, most = sum(counts), max(counts)
    head = "".join(f"<th scope=col>{escape(one)}" for one in columns)
    body = "".join(
        f"<tr><td>{row[0]}</td><td>{row[1]}</td><td>{row[2]}</td>"
        + "".join(f"<td class=n>{number:,}</td>" for number in row[3:])
        + f"<td class=n>{percent(count / total)}</td>"
        f'<td><span class=share style="width:{100 * count / most:.1f}%"></span></td></tr>'
        for row, count in zip(rows[:_SHOWN], counts, strict=False)
    )
    more = f"<p class=quiet>{len(rows) - _SHOWN:,} more rows in the CSV.</p>" if len(rows) > _SHOWN else ""
    people = "<th scope=col class=n>People" if len(rows[0]) > len(("a", "b", "c", "count")) else ""
    tail = f"<th scope=col class=n>Count{people}<th scope=col class=n>Share<th scope=col><span></span>"
    table = f"<table class=volume><thead><tr>{head}{tail}</thead><tbody>{body}</tbody></table>"
    return f"<div class=scroll>{table}</div>{more}"
