"""`cds-service mapping-report`: what a site's data would become, before it is switched on (R-D05)."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import msgspec

from cds_service.commands import output
from cds_service.patient_data import bulk_export, site_export
from cds_service.patient_data.site_export import ExportError, ExportServer
from fhir_mappings.report import bulk, bulk_files, mapping_report, mapping_report_pages, mapping_report_steps
from fhir_mappings.report.bulk_files import Lost, first_places
from fhir_mappings.report.mapping_counts import CountedPerson, MappingSite
from fhir_mappings.report.mapping_report import MappingReport
from fhir_mappings.report.mapping_report_steps import BROKEN_WORDS
from fhir_mappings.terminology import concept_maps

People = tuple[int, Iterable[CountedPerson], Lost]
_TOLD = 3  # steps that are told beside the page, which has all


@click.command("mapping-report", cls=output.Command)
@click.argument("export", type=click.Path(path_type=Path, exists=True), required=False)
@click.option("--fhir", default=None, metavar="URL", help="A FHIR server's base URL, in place of EXPORT.")
@click.option("--patients", "listed", type=click.File(), default=None, help="File of patient ids, one a line.")
@click.option("--at-most", type=click.IntRange(min=1), default=None, help="No more patients than these.")
@click.option("--bulk/--searches", "whole", default=None, help="By $export or by search (default: as the server can).")
@click.option("--map", "maps", type=click.Path(path_type=Path, exists=True), multiple=True, help="A site's ConceptMap.")
@click.option("--code-system", "systems", nargs=2, multiple=True, metavar="URI NAME", help="A URI of the site's own.")
@click.option(
    "--tenant-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="The tenant's file: its maps, code systems, units and site folder count as they do in the service.",
)
@click.option("--zone", default=None, help="The site's IANA time zone (default: the tenant file's, else UTC).")
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
    tenant_file: Path | None,
    zone: str | None,
    as_of: str | None,
    page: Path,
    table: Path,
) -> None:
    """Read a site's data and write what is understood, what is not, and what to do next.

    EXPORT is a folder of Bulk Data NDJSON or of Bundles, or one such file; or a server is read (--fhir), with the
    bearer token in the environment variable FHIR_TOKEN. Counts only: no identifier, value or text of a patient is
    written. Exit code 1 where no patient could be read or a part of the data is broken.
    """
    if (export is None) == (fhir is None):
        raise click.UsageError("give a folder of NDJSON, or --fhir URL")
    site = _as_served(tenant_file, maps, dict(systems)) if tenant_file else _as_named(maps, dict(systems))
    site = _at(site, as_of, zone)
    with _people(export, fhir, listed, at_most, whole) as (how_many, people, lost):
        made = _with_a_bar(how_many, people, lost, site)
    page.write_text(mapping_report_pages.as_html(made, site, source=_source(export, fhir)), encoding="utf-8")
    table.write_text(mapping_report_pages.as_csv(made), encoding="utf-8")
    line = f"{made.patients} patients read, {made.unreadable_patients} unreadable: {page}, {table}"
    output.say(line, patients=made.patients, unreadable=made.unreadable_patients, html=str(page), csv=str(table))
    _tell(made, first_places(export) if export is not None and made.broken else "")


def _tell(made: MappingReport, places: str) -> None:
    """The first steps; ends with exit code 1 where data were lost, and says where (`places`)."""
    for number, step in enumerate(mapping_report_steps.steps(made)[:_TOLD], start=1):
        output.row("steps", f"{number}. {mapping_report_steps.as_text(step)}", mapping_report_steps.as_text(step))
    lost = [f"{BROKEN_WORDS[what]}: {number:,}" for what, number in made.broken.items()]
    if made.nothing_read:
        without = made.people_without_patient
        lost += [f"people without a Patient resource: {without:,}"] if without else []
        raise click.ClickException("; ".join(["no patient could be read", *lost]) + places)
    if lost:
        raise click.ClickException("; ".join(lost) + places)


def _as_named(maps: tuple[Path, ...], systems: dict[str, str]) -> MappingSite:
    return MappingSite(datetime.now(UTC), ZoneInfo("UTC"), concept_maps.load(maps, code_systems=systems))


def _as_served(file: Path, maps: tuple[Path, ...], systems: dict[str, str]) -> MappingSite:
    """What the service would read by, with what is tried besides. What is not understood counts as that, even where

    the tenant's file says that it is absent: two people sign for that after they have read this report.
    """
    from cds_service import tenant_runtime  # noqa: PLC0415 — a report without a tenant needs no service
    from cds_service.tenants import tenant_files  # noqa: PLC0415

    tenant = tenant_files.load_file(file)
    tried = msgspec.structs.replace(
        tenant, concept_maps=(*tenant.concept_maps, *maps), code_systems=tenant.code_systems | systems
    )
    site = tenant_runtime.open_tenant(tried)
    rules = msgspec.structs.replace(site.rules, unread_is_absent=False)
    return MappingSite(datetime.now(UTC), site.zone, site.maps, site.value_sets, rules)


def _at(site: MappingSite, as_of: str | None, zone: str | None) -> MappingSite:
    """The site as of the instant that the options say; click.BadParameter for an instant or a zone that is none."""
    try:
        within = ZoneInfo(zone) if zone is not None else site.zone
    except (ValueError, OSError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise click.BadParameter(f"no time zone is called {zone!r}", param_hint="--zone") from error
    try:
        now = site.as_of if as_of is None else datetime.fromisoformat(as_of)
    except ValueError as error:
        raise click.BadParameter(f"{as_of!r} is no instant of ISO 8601", param_hint="--as-of") from error
    return msgspec.structs.replace(site, as_of=now if now.tzinfo else now.replace(tzinfo=within), zone=within)


def _with_a_bar(how_many: int, people: Iterable[CountedPerson], lost: Lost, site: MappingSite) -> MappingReport:
    with click.progressbar(length=how_many, label="Patients", show_pos=True, file=sys.stderr) as bar:
        return mapping_report.report(people, site, lost=lost, progress=lambda done: bar.update(done - bar.pos))


def _source(export: Path | None, fhir: str | None) -> str:
    return f"the FHIR server {fhir}" if fhir else f"the export in the folder {export.name}" if export else ""


@contextlib.contextmanager
def _people(
    export: Path | None, fhir: str | None, listed: Iterable[str] | None, at_most: int | None, whole: bool | None
) -> Iterator[People]:
    """How many people there are, each with their data, and what was lost; a download is gone afterwards."""
    if export is not None:
        yield _exported(export)
        return
    of = site_export.server(fhir or "", os.environ.get("FHIR_TOKEN"))
    try:
        if whole or (whole is None and listed is None and at_most is None and bulk_export.is_offered(of.access)):
            with tempfile.TemporaryDirectory(prefix="export-") as folder:
                bulk_export.download(of.access, Path(folder), told=lambda words: click.echo(words, err=True))
                yield _exported(Path(folder))
            return
        ids = _ids(of, listed, at_most)
        yield len(ids), site_export.people(of, ids), Counter()
    finally:
        of.client.close()


def _exported(export: Path) -> People:
    if not bulk_files.files(export):
        raise ExportError(f"{export.name} holds no file of FHIR data ({', '.join(bulk_files.SUFFIXES)})")
    lost: Lost = Counter()
    return bulk.count_patients(export), mapping_report.of_export(export, lost), lost


def _ids(of: ExportServer, listed: Iterable[str] | None, at_most: int | None) -> tuple[str, ...]:
    if listed is None:
        return site_export.patient_ids(of, at_most=at_most)
    return tuple(one.strip().removeprefix("Patient/") for one in listed if one.strip())[:at_most]
