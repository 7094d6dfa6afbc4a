"""`cds-service outcomes`: what came of the operations on record, derived from a hospital's FHIR data into a file."""

from __future__ import annotations

import csv
import statistics
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
import msgspec

from cds_service.commands import kept_record, output, proof
from cds_service.trust import private_files

if TYPE_CHECKING:
    from cds_service.follow_up.derived_outcomes import DerivedTally, OutcomeLine, Reader

# Data without which "nothing recorded" would be a claim about everybody.
_NEEDED = frozenset({"Patient", "Condition", "Procedure", "Encounter"})
BIAS = (
    "verification bias: an event is found where somebody looked and coded it. Complications of people who are seen "
    "more often are found more often; what was treated elsewhere is not seen. An event is known of people who were not "
    "followed, its absence only of those who were: the share of events among the known operations is too high"
)
_OPERATIONS = {
    "found": "found in the data",
    "operation-not-found": "no completed procedure of the ordered group within 180 days of the order",
    "operation-day-unknown": "a procedure of the group whose day is not known",
    "patient-not-in-data": "the patient is not in the data",
    "another-person": "an entry of the patient names another person",
    "no-patient-on-record": "the record does not keep whose it was",
}


@click.group("outcomes", cls=output.Group)
def outcomes() -> None:
    """What came of the operations: derived from FHIR data by written definitions (docs/outcomes.md)."""


@outcomes.command("derive")
@click.argument("tenant_id")
@click.option("--from", "export", type=click.Path(path_type=Path, exists=True), required=True, help="Bulk Data NDJSON.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day up to which data are read.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file of outcomes, version 2.")
@click.option("--complete", multiple=True, metavar="OUTCOME", help="The site always records this outcome as codes.")
@click.option("--tenant-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None,
              help="The tenant's file: its zone, maps, code systems and value sets.")  # fmt: skip
@click.option("--zone", default=None, help="The site's IANA time zone (default: the tenant file's, else UTC).")
@kept_record.option
def derive(
    tenant_id: str,
    *,
    export: Path,
    as_of: datetime,
    out: Path,
    complete: tuple[str, ...],
    tenant_file: Path | None,
    zone: str | None,
    database_url: str,
) -> None:
    """Write what a folder of FHIR data says of each operation of TENANT_ID; nothing is loaded.

    What is unknown has no line and is counted by reason. `cds-service record import-outcomes` loads the file. Outcomes
    that another source told stay as they are; what this command told and no longer holds is written as withdrawn.
    """
    from cds_service.follow_up import derived_outcomes  # noqa: PLC0415
    from cds_service.follow_up.planned_operations import planned_operations  # noqa: PLC0415
    from cds_service.records import outcomes as told  # noqa: PLC0415
    from cds_service.records.asked_calls import asked_calls  # noqa: PLC0415
    from fhir_mappings.report import bulk  # noqa: PLC0415

    day = _day(as_of)
    vouched = _vouched(complete)
    reader = _reader(tenant_file, zone, day)
    tally, lost = derived_outcomes.DerivedTally(), Counter[tuple[str, ...]]()
    with kept_record.opened(database_url, connections=2) as engine:
        proof.refuse_unrecorded(engine, tenant_id)
        until = datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
        plans = planned_operations(asked_calls(engine, tenant_id, until=until))
        recorded = {
            (one.evaluation_id, one.outcome): derived_outcomes.RecordedOutcome(one.occurred, one.source)
            for one in told.on_record(engine, tenant_id)
        }
    people = bulk.patients(export, lost=lost)
    lines = derived_outcomes.lines(plans, people, reader, recorded=recorded, complete=vouched, tally=tally)
    written = list(lines)
    _refuse_broken(lost, export)
    _write(out, written, derived_outcomes.FULL_SOURCE)
    _tell(out, len(written), tally)


def _day(as_of: datetime) -> date:
    day = as_of.date()
    if day > datetime.now(UTC).date() + timedelta(days=1):
        raise click.BadParameter("a day that is over, or today", param_hint="--as-of")
    return day


def _vouched(complete: tuple[str, ...]) -> frozenset[str]:
    from fhir_mappings.outcomes.outcome_definitions import DEFINITIONS  # noqa: PLC0415

    known = {one.name for one in DEFINITIONS if one.vouched}
    if strange := sorted(set(complete) - known):
        told = f"{', '.join(strange)}: only {', '.join(sorted(known))} need a site's word"
        raise click.BadParameter(told, param_hint="--complete")
    return frozenset(complete)


def _reader(tenant_file: Path | None, zone: str | None, as_of: date) -> Reader:
    """Who reads one person's resources: by the tenant's own maps and value sets, in its zone."""
    from fhir_mappings.outcomes import followed_person, outcome_definitions  # noqa: PLC0415
    from fhir_mappings.terminology.concept_maps import EMPTY, vocabulary  # noqa: PLC0415
    from fhir_mappings.terminology.value_sets import STANDARD  # noqa: PLC0415

    sets, maps, within = STANDARD, EMPTY, ZoneInfo("UTC")
    if tenant_file is not None:
        from cds_service import tenant_runtime  # noqa: PLC0415
        from cds_service.tenants import tenant_files  # noqa: PLC0415

        site = tenant_runtime.open_tenant(tenant_files.load_file(tenant_file))
        sets, maps, within = site.value_sets, site.maps, site.zone
    try:
        within = ZoneInfo(zone) if zone is not None else within
    except (ValueError, OSError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise click.BadParameter("no time zone is called so", param_hint="--zone") from error
    words = vocabulary(outcome_definitions.value_sets(outcome_definitions.DEFINITIONS, sets), maps)
    return lambda patient_id, resources: followed_person.person(
        resources, patient_id=patient_id, as_of=as_of, zone=within, words=words
    )


def _refuse_broken(lost: Counter[tuple[str, ...]], export: Path) -> None:
    """What was lost may be anybody's complication: then nothing may be told as not having happened."""
    from fhir_mappings.report.bulk_files import BROKEN, OF_NOBODY, first_places  # noqa: PLC0415
    from fhir_mappings.report.mapping_report_steps import BROKEN_WORDS  # noqa: PLC0415

    told = [f"{BROKEN_WORDS[what[0]]}: {number:,}" for what, number in sorted(lost.items()) if what[0] in BROKEN]
    told += [
        f"{what[1]} that belongs to nobody: {number:,}"
        for what, number in sorted(lost.items())
        if what[0] == OF_NOBODY and what[1] in _NEEDED
    ]
    if told:
        raise click.ClickException(
            f"nothing was written, for a part of the data is lost: {'; '.join(told)}{first_places(export)}"
        )


def _write(out: Path, lines: Iterable[OutcomeLine], source: str) -> None:
    from cds_service.follow_up.derived_outcomes import OutcomeLine  # noqa: PLC0415

    names = OutcomeLine.__struct_fields__
    with private_files.text(out) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*names, "source"])
        for one in sorted(lines, key=lambda line: (line.evaluation_id, line.outcome)):
            writer.writerow([*("" if (cell := getattr(one, name)) is None else cell for name in names), source])


def _tell(out: Path, written: int, tally: DerivedTally) -> None:
    from fhir_mappings.outcomes.outcome_definitions import not_derived  # noqa: PLC0415

    output.say(f"{out}: {written} lines; nothing was loaded", file=str(out), lines=written)
    for what, words in _OPERATIONS.items():
        if number := tally.operations[what]:
            output.row("operations", f"{number} operations: {words}", {"what": what, "operations": number})
    for name, counts in sorted(tally.outcomes.items()):
        output.row("outcomes", _line(name, counts, tally), _member(name, counts, tally))
    if tally.stays:
        median = statistics.median(tally.stays)
        told = f"length of stay after the operation: median {median:g} days of {len(tally.stays)} operations"
        output.say(told, length_of_stay={"operations": len(tally.stays), "median_days": median})
    for one in not_derived():
        output.row("not_derived", f"{one.name}: not derived. {one.why}", msgspec.to_builtins(one))
    output.say(BIAS, verification_bias=BIAS)


def _line(name: str, counts: Counter[str], tally: DerivedTally) -> str:
    unknown = {why: number for why, number in sorted(counts.items()) if why not in ("true", "false")}
    told = f"{name}: {counts['true']} true, {counts['false']} false, {sum(unknown.values())} unknown"
    told += f" ({', '.join(f'{number} {why}' for why, number in unknown.items())})" if unknown else ""
    told += f"; of all {_between(counts)}" if unknown else ""
    if others := tally.others.get(name):
        told += f"; another source told {sum(others.values())}, of which {others['different']} differ: left as they are"
    if withdrawn := tally.withdrawn[name]:
        told += f"; {withdrawn} withdrawn"
    return told


def _bounds(counts: Counter[str]) -> tuple[float, float]:
    """The share of operations with the outcome, if it happened in none or in all of those where it is unknown."""
    operations = counts.total()
    return counts["true"] / operations, 1 - counts["false"] / operations


def _between(counts: Counter[str]) -> str:
    low, high = _bounds(counts)
    return f"between {100 * low:.1f} % and {100 * high:.1f} % have it"


def _member(name: str, counts: Counter[str], tally: DerivedTally) -> dict[str, Any]:
    unknown = {why: number for why, number in sorted(counts.items()) if why not in ("true", "false")}
    return {
        "outcome": name,
        "true": counts["true"],
        "false": counts["false"],
        "unknown": unknown,
        "share_between": _bounds(counts),
        "another_source": dict(tally.others.get(name, {})),
        "withdrawn": tally.withdrawn[name],
    }
