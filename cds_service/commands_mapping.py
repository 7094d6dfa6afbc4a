"""`cds-service mapping-report`: what a site's data would become, before it is switched on (R-D05)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from fhir_mappings import concept_maps, mapping_report, mapping_report_pages


@click.command("mapping-report")
@click.argument("export", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--map", "maps", type=click.Path(path_type=Path, exists=True), multiple=True, help="A site's ConceptMap.")
@click.option("--zone", default="UTC", show_default=True, help="The site's IANA time zone.")
@click.option("--as-of", default=None, help="The instant of the report, ISO 8601 (default: now).")
@click.option("--html", "page", type=click.Path(path_type=Path), default=Path("mapping-report.html"), show_default=True)
@click.option("--csv", "table", type=click.Path(path_type=Path), default=Path("mapping-report.csv"), show_default=True)
def mapping_report_command(
    export: Path, *, maps: tuple[Path, ...], zone: str, as_of: str | None, page: Path, table: Path
) -> None:
    """Read the Bulk Data NDJSON in EXPORT and write what is mapped, what is not, and which units are in the way.

    Counts only: no identifier, value or text of a patient leaves the export.
    """
    instant = datetime.now(UTC) if as_of is None else datetime.fromisoformat(as_of)
    patients = list(mapping_report.of_export(export))
    with click.progressbar(length=len(patients), label="Patients") as bar:
        made = mapping_report.report(
            patients,
            as_of=instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(zone)),
            zone=ZoneInfo(zone),
            maps=concept_maps.load(maps),
            progress=lambda done: bar.update(done - bar.pos),
        )
    page.write_text(mapping_report_pages.as_html(made), encoding="utf-8")
    table.write_text(mapping_report_pages.as_csv(made), encoding="utf-8")
    click.echo(f"{made.patients} patients read, {made.unreadable_patients} unreadable: {page}, {table}")
