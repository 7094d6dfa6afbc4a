"""What a site has to do next: what is not understood, of how many people, and the remedy (DEC-37)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from fhir_mappings.report.mapping_lists import LISTS, READ, RESULTS
from fhir_mappings.report.mapping_report import MappingReport, statuses
from fhir_mappings.terminology.code_systems import ICD_DIAGNOSES, SNOMED_CT, TEXT, canonical
from fhir_mappings.terminology.understanding import NO_SYSTEM

GATE = 0.95  # R-D05: the part of possible operations that has to be mapped before a site is switched on
NAMES = {
    "conditions": ("diagnosis", "diagnoses"),
    "medications": ("medicine", "medicines"),
    "procedures": ("procedure", "procedures"),
    "reports": ("report", "reports"),
    RESULTS: ("result", "results"),
}
_ORDER = (*LISTS, RESULTS)
_CODES_NAMED = 5
# What is wrong with entries of themselves, one and several, and what to do about it.
_REASONS = {
    "words-only": (
        "has no code, only words",
        "have no code, only words",
        f"Have them coded at the source, or map their exact texts in a ConceptMap with the source {TEXT}.",
    ),
    "masked": (
        "is withheld: a reason stands in the place of the code",
        "are withheld: a reason stands in the place of the code",
        "Ask at the source that the service may see them.",
    ),
    "subject-unclear": (
        "does not say whose it is",
        "do not say whose they are",
        "Have the source write subject.reference as Patient/id.",
    ),
    "modifier-unknown": (
        "has a modifierExtension, implicitRules, or a status or category that leaves open whether it holds",
        "have a modifierExtension, implicitRules, or a status or category that leaves open whether they hold",
        "Any of these could turn what an entry means: have the source write them without, and FHIR's own statuses.",
    ),
    "unread": (
        "cannot be read or dated, is of another FHIR version, or says that there is no information",
        "cannot be read or dated, are of another FHIR version, or say that there is no information",
        "Have the source write FHIR R4, dates too, and say what it knows.",
    ),
    "not-sent": (
        "is counted by the server and did not come",
        "are counted by the server and did not come",
        "Have the server send every page.",
    ),
}
# How the codes of a system look, and the name under which a URI of the site's can be said to be it.
# https://www.cms.gov/medicare/coding-billing/icd-10-codes, https://www.whocc.no/atc/structure_and_principles/,
# https://loinc.org/kb/users-guide/
_LOOKS = {
    "conditions": (re.compile(r"[A-Z]\d[0-9A-Z](\.?[0-9A-Z]{1,4})?[+*!]?"), "ICD-10", "icd-10-gm"),
    "medications": (re.compile(r"[A-Z]\d\d[A-Z][A-Z]\d\d"), "ATC", "atc"),
    "procedures": (re.compile(r"[0-9BCDFGHX][0-9A-HJ-NP-Z]{6}"), "ICD-10-PCS", "icd-10-pcs"),
    RESULTS: (re.compile(r"\d{1,5}-\d"), "LOINC", "loinc"),
}
# Systems that look like one of these and are none: ICPC's K77 is heart failure, ICD-10's a disease of the liver.
# https://terminology.hl7.org/NamingSystem-icpc2.html; the OID is that of ICPC-1-NL, https://terminology.hl7.org
_LOOKS_AND_IS_NOT = re.compile(r"icpc|2\.16\.840\.1\.113883\.2\.4\.4\.31|icd-?o\b|icd-?o-|/icf", re.IGNORECASE)


class Step(Struct, frozen=True, kw_only=True):
    """What was found, of how many people where that is counted; what to do about it, and the line to write."""

    found: str
    remedy: str = ""
    write: str = ""
    people: int = 0


class _Figures:
    """A report's counts to look up in, gathered once: `codes` by list and code system, the most frequent first."""

    def __init__(self, report: MappingReport) -> None:
        self.report = report
        self.entries = dict(report.entries)
        self.people = dict(report.people)
        self.codes: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for (key, system, code), count in report.unmapped:
            if code:
                self.codes.setdefault((key, system), []).append((code, count))


def steps(report: MappingReport) -> tuple[Step, ...]:
    """What is not understood, first what concerns most people; then orders, units and what else is in the way."""
    figures = _Figures(report)
    found = [one for key in _ORDER for one in (*_of_systems(figures, key), *_of_reasons(figures, key))]
    return (*sorted(found, key=lambda one: -one.people), *_others(report))


def as_text(step: Step) -> str:
    """A step in one line."""
    return " ".join(part for part in (step.found, step.remedy, step.write) if part)


def _of_systems(figures: _Figures, key: str) -> Iterator[Step]:
    """Per code system that is not read, and per system of which codes are in no list."""
    for (of, why, system), count in figures.report.systems:
        if of != key:
            continue
        people = figures.people["systems", key, why, system]
        told, named = _told(figures, key, count, people), _named(figures, key, system)
        if why == "code-not-listed":
            verb = "has a code" if count == 1 else "have codes"
            found = f"{told} {verb} of {system} in no list{named}."
            yield Step(found=found, remedy=_remedy_of_a_code(system), people=people)
            continue
        none = f"No {NAMES[key][0]} is read: " if count == figures.entries.get((key, READ)) else ""
        if system == NO_SYSTEM:
            verb = "names" if count == 1 else "name"
            found = f"{none}{told} {verb} no code system by its URI{named}."
        else:
            found = f"{none}{told} {'is' if count == 1 else 'are'} coded in {system}, which is not read{named}."
        codes = [code for code, _ in figures.codes.get((key, system), ())]
        yield _remedy_of_a_system(Step(found=found, people=people), key, system, codes)


def _of_reasons(figures: _Figures, key: str) -> Iterator[Step]:
    """Per reason that lies in the entries themselves."""
    for why, (one, several, remedy) in _REASONS.items():
        if count := figures.entries.get((key, why), 0):
            people = figures.people["entries", key, why]
            told = _told(figures, key, count, people)
            yield Step(found=f"{told} {one if count == 1 else several}.", remedy=remedy, people=people)


def _remedy_of_a_system(step: Step, key: str, system: str, codes: Sequence[str]) -> Step:
    form, name, alias = _LOOKS.get(key, (None, "", ""))
    mapped = "Write a ConceptMap of its codes, the most frequent first, and try it with --map FILE."
    is_another = system == NO_SYSTEM or _LOOKS_AND_IS_NOT.search(system)
    if form is None or is_another or not codes or not all(form.fullmatch(one) for one in codes):
        return Step(found=step.found, remedy=mapped, people=step.people)
    which = " and which edition it is (icd-10, icd-10-cm, icd-10-gm, icd-10-am, …)" if name == "ICD-10" else ""
    remedy = (
        f"Its codes look like {name}. If they are, say so in the tenant's file{which}, and try it with "
        f"--code-system {system} {alias}; else map them in a ConceptMap."
    )
    return Step(found=step.found, remedy=remedy, write=f"code_systems: {{{system}: {alias}}}", people=step.people)


def _remedy_of_a_code(system: str) -> str:
    known = canonical(system)
    if known == SNOMED_CT:
        return (
            "Name the site's terminology server in the tenant's file (terminology), with value sets of the ideas and "
            "one, reviewed, of the codes that belong to none; or map them in a ConceptMap."
        )
    if known in ICD_DIAGNOSES:
        return "Map them in a ConceptMap: their categories have no checked row for this edition."
    return "Map them in a ConceptMap: those that mean one of the ideas, and those that mean none as unmatched."


def _told(figures: _Figures, key: str, count: int, people: int) -> str:
    total = figures.entries.get((key, READ))
    of = f"{count:,} of {total:,}" if total else f"{count:,}"
    name = NAMES[key][(total or count) != 1]
    patients = figures.report.patients
    share = "everybody" if people == patients else percent(people / max(1, patients))
    return f"{of} {name} of {persons(people)} ({share})"


def persons(number: int) -> str:
    """1 person, 2 people."""
    return f"{number:,} {'person' if number == 1 else 'people'}"


def _named(figures: _Figures, key: str, system: str) -> str:
    """The most frequent codes, each with its entries and their people."""
    codes = figures.codes.get((key, system), [])
    told = [
        f"{code} ({count:,}, of {persons(figures.people['unmapped', key, system, code])})"
        for code, count in codes[:_CODES_NAMED]
    ]
    more = f" and {len(codes) - len(told):,} more codes" if len(codes) > len(told) else ""
    return f": {', '.join(told)}{more}" if told else ""


def _others(report: MappingReport) -> Iterator[Step]:
    for what, number in report.broken.items():
        found = f"{_capital(BROKEN_WORDS[what])}: {number:,}."
        yield Step(found=found, remedy="Export the data again: nobody knows what was in them.")
    if report.people_without_patient:
        found = f"People without a Patient resource: {report.people_without_patient:,}. Nothing of theirs is counted."
        yield Step(found=found, remedy="Export the Patients too.")
    yield from _of_orders(report)
    if report.units:
        (name, unit, _), count = report.units[0]
        yield Step(found=f"Look at units: {report.inputs[name].label} in “{unit or 'no unit'}” comes {count:,} times.")
    unmapped = [report.inputs[name].label for (name, _, reason), _ in report.coverage if reason == "no-site-map"]
    if unmapped:
        yield Step(found=f"Map the site's own items for {', '.join(unmapped)}: no standard code exists for them.")
    if report.patients and (nobody := _recorded_of_nobody(report)):
        found = f"No patient has a result for {nobody}: look whether the site records it under a code of its own."
        yield Step(found=found)
    if report.searches:
        yield Step(found="Ask for access to what could not be searched: see the last section.")


BROKEN_WORDS = {
    "broken-line": "lines that are no FHIR resource",
    "cut-off-file": "files that cannot be read to their end",
    "file-without-fhir": "files without any FHIR resource",
}


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _of_orders(report: MappingReport) -> Iterator[Step]:
    open_orders = [(keys[2], count) for keys, count in report.orders if keys[0] == "unmapped-procedure" and keys[2]]
    share = report.order_coverage
    if share is not None and share < GATE and open_orders:
        codes = ", ".join(f"{code} ({count:,})" for code, count in open_orders[:_CODES_NAMED])
        yield Step(
            found=f"{percent(share)} of the possible operations are mapped; 95 % are needed.",
            remedy=f"Map orders, the most frequent first: {codes}. The map to fill in: cds-service codes template.",
        )


def _recorded_of_nobody(report: MappingReport) -> str:
    counted = statuses(report)
    names = [name for name, one in report.inputs.items() if name in counted and one.kind != "yes-no"]
    return ", ".join(report.inputs[name].label for name in names if counted[name]["missing"] == counted[name].total())


def percent(share: float) -> str:
    """In whole per cent; never 0 or 1 for what is less, never 100 where something lacks."""
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{round(100 * share)} %"
