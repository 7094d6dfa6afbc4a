"""`cds-service mapping-report`: what a site's data would become, before it is switched on (R-D05)."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from cds_service.patient_data import bulk_export, site_export
from cds_service.patient_data.site_export import ExportError, Server
from fhir_mappings import bulk, concept_maps, mapping_report, mapping_report_pages
from fhir_mappings.mapping_counts import Person, Site

People = tuple[int, Iterable[Person]]


@click.command("mapping-report")
@click.argument("export", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@click.option("--fhir", default=None, metavar="URL", help="A FHIR server's base URL, in place of EXPORT.")
@click.option("--patients", "listed", type=click.File(), default=None, help="File of patient ids, one a line.")
@click.option("--at-most", type=click.IntRange(min=1), default=None, help="No more patients than these.")
@click.option("--bulk/--searches", "whole", default=None, help="By $export or by search (default: as the server can).")
@click.option("--map", "maps", type=click.Path(path_type=Path, exists=True), multiple=True, help="A site's ConceptMap.")
@click.option("--code-system", "systems", nargs=2, multiple=True, metavar="URI NAME", help="A URI of the site's own.")
@click.option("--zone", default="UTC", show_default=True, help="The site's IANA time zone.")
@click.option("--as-of", default=None, help="The instant of the report, ISO 8601 (default: now).")
@click.option("--html", "page", type=click.Path(path_type=Path), default=Path("mapping-report.html"), show_default=True)
@click.option("--csv", "table", type=click.Path(path_type=Path), default=Path("mapping-report.csv"), show_default=True)
def mapping_report_command(  # noqa: PLR0913 — one argument for each option
    export: Path | None,
    *,
    fhir: str | None,
    listed: Iterable[str] | None,
    at_most: int | None,
    whole: bool | None,
    maps: tuple[Path, ...],
    systems: tuple[tuple[str, str], ...],
    zone: str,
    as_of: str | None,
    page: Path,
    table: Path,
) -> None:
    """Read a site's data and write what is mapped, what is not, and which units are in the way.

    EXPORT is a folder of Bulk Data NDJSON; or a server is read (--fhir), with the bearer token in the environment
    variable FHIR_TOKEN. Counts only: no identifier, value or text of a patient is written.
    """
    if (export is None) == (fhir is None):
        raise click.UsageError("give a folder of NDJSON, or --fhir URL")
    now = datetime.now(UTC) if as_of is None else datetime.fromisoformat(as_of)
    own = concept_maps.load(maps, code_systems=dict(systems))
    site = Site(now if now.tzinfo else now.replace(tzinfo=ZoneInfo(zone)), ZoneInfo(zone), own)
    try:
        with _people(export, fhir, listed, at_most, whole) as (how_many, people):
            made = _with_a_bar(how_many, people, site)
    except ExportError as error:
        raise click.ClickException(str(error)) from error
    page.write_text(mapping_report_pages.as_html(made, site, source=_source(export, fhir)), encoding="utf-8")
    table.write_text(mapping_report_pages.as_csv(made), encoding="utf-8")
    click.echo(f"{made.patients} patients read, {made.unreadable_patients} unreadable: {page}, {table}")


def _with_a_bar(how_many: int, people: Iterable[Person], site: Site) -> mapping_report.MappingReport:
    with click.progressbar(length=how_many, label="Patients", show_pos=True) as bar:
        return mapping_report.report(people, site, progress=lambda done: bar.update(done - bar.pos))


def _source(export: Path | None, fhir: str | None) -> str:
    return f"the FHIR server {fhir}" if fhir else f"the export in the folder {export.name}" if export else ""


@contextlib.contextmanager
def _people(
    export: Path | None, fhir: str | None, listed: Iterable[str] | None, at_most: int | None, whole: bool | None
) -> Iterator[People]:
    """How many people there are, and each with their data; whatever was downloaded is gone afterwards."""
    if export is not None:
        yield bulk.count_patients(export), mapping_report.of_export(export)
        return
    of = site_export.server(fhir or "", os.environ.get("FHIR_TOKEN"))
    try:
        if whole or (whole is None and listed is None and at_most is None and bulk_export.is_offered(of.access)):
            with tempfile.TemporaryDirectory(prefix="export-") as folder:
                bulk_export.download(of.access, Path(folder), told=lambda words: click.echo(words, err=True))
                yield bulk.count_patients(Path(folder)), mapping_report.of_export(Path(folder))
            return
        ids = _ids(of, listed, at_most)
        yield len(ids), site_export.people(of, ids)
    finally:
        of.client.close()


def _ids(of: Server, listed: Iterable[str] | None, at_most: int | None) -> tuple[str, ...]:
    if listed is None:
        return site_export.patient_ids(of, at_most=at_most)
    return tuple(one.strip().removeprefix("Patient/") for one in listed if one.strip())[:at_most]
