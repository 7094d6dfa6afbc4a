"""`cds-service codes`: by which codes a site orders operations, and the map that makes them understood."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click

from cds_service.commands import kept_record, output
from fhir_mappings.report import bulk_files, code_template
from fhir_mappings.report.code_template import OrderedCodes
from fhir_mappings.terminology import concept_maps
from fhir_mappings.terminology.value_sets import STANDARD


@click.group("codes", cls=output.Group)
def codes() -> None:
    """The codes of orders: a map to fill in from a site's own, and those that got no answer."""


@codes.command("template")
@click.argument("export", type=click.Path(path_type=Path, exists=True))
@click.option("--map", "maps", type=click.Path(path_type=Path, exists=True), multiple=True, help="A map in force.")
@click.option("--with-displays", is_flag=True, help="Also the site's own words for each code.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Where to write (default: standard output).")
def template(export: Path, *, maps: tuple[Path, ...], with_displays: bool, out: Path | None) -> None:
    """Make a ConceptMap to fill in from the orders and procedures of EXPORT, a file of NDJSON or a folder of them.

    The most frequent code first. Codes that are understood already, by what is shipped or by --map, are left out. No
    descriptor of any code system is written, and nothing of a patient; --with-displays adds what the site calls it.
    """
    counts = _counted(export, maps)
    if not counts.orders:
        raise click.ClickException(f"{export}: no order can be read; {counts.unreadable} lines are unreadable")
    made = code_template.template(counts, displays=with_displays)
    written = json.dumps(made, indent=1, ensure_ascii=False)
    if out:
        out.write_text(written + "\n", encoding="utf-8")
        output.members(written=str(out), orders=counts.orders, understood=counts.known, to_map=counts.to_map)
    else:
        output.whole(written, made)
    click.echo(_told(counts), err=True)


def _counted(export: Path, maps: tuple[Path, ...]) -> OrderedCodes:
    """What the orders of a file say, or of every file of a folder and of those in it; a Bundle's one by one."""
    if not bulk_files.files(export):
        raise click.ClickException(f"{export}: holds no file of NDJSON")
    lost: bulk_files.Lost = Counter()
    found = (raw for _, raw in bulk_files.resources(export, lost))
    counts = code_template.count(found, STANDARD, concept_maps.load(maps))
    if cut_off := lost[(bulk_files.CUT_OFF,)]:
        raise click.ClickException(
            f"{export}: {cut_off} files could not be read to their end{bulk_files.first_places(export)}"
        )
    counts.unreadable += lost[(bulk_files.BROKEN_LINE,)]
    return counts


def _told(counts: OrderedCodes) -> str:
    return (
        f"{counts.orders} orders and procedures: {counts.known} understood, {counts.no_operation} no operations, "
        f"{counts.to_map} to map by {len(counts.codes)} codes, {counts.without_code} without a code; "
        f"{counts.unreadable} lines unreadable"
    )


@codes.command("unmapped")
@click.argument("tenant_id")
@click.option("--since", type=click.DateTime(), default="1970-01-01", help="From this day on, UTC.")
@click.option("--most", type=click.IntRange(min=1), default=50, show_default=True, help="No more codes than these.")
@kept_record.option
def unmapped(tenant_id: str, *, since: datetime, most: int, database_url: str) -> None:
    """List the codes of a tenant's orders that are in no procedure group, the most frequent first."""
    from cds_service.records import unmapped_codes  # noqa: PLC0415

    with kept_record.opened(database_url) as engine:
        found = unmapped_codes.count(engine, tenant_id, since=since.replace(tzinfo=UTC))
    output.members(codes=[], different=len(found.codes), evaluations=found.evaluations)
    for (system, code), number in found.codes[:most]:
        line = f"{number:>7}  {system or 'no code'}{'|' if system else ''}{code}"
        output.row("codes", line, {"system": system, "code": code, "orders": number})
    click.echo(f"{len(found.codes)} codes in no procedure group, in {found.evaluations} evaluations", err=True)
