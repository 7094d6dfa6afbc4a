"""The mapping report as a table for a spreadsheet: every count, one row each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from fhir_mappings.report.mapping_counts import SECTIONS
from fhir_mappings.report.mapping_report import Counted, MappingReport
from fhir_mappings.writing.spreadsheet import harmless


def as_csv(report: MappingReport) -> str:
    """Every count, one row each: section, up to three keys, count, and of how many people where that is counted.

    Keys that a spreadsheet would run are quoted.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("section", "key1", "key2", "key3", "count", "people"))
    writer.writerow(("patients", "read", "", "", report.patients, ""))
    writer.writerow(("patients", "unreadable", "", "", report.unreadable_patients, ""))
    people = dict(report.people)
    for section in SECTIONS:
        rows: Iterable[Counted] = getattr(report, section)
        for keys, count in rows:
            named = (*(harmless(key) for key in (*keys, "", "", "")[:3]), count)
            writer.writerow((section, *named, people.get((section, *keys), "")))
    for keys, count in report.people:
        if keys[0] == "whole":
            writer.writerow(("lists_understood_whole", keys[1] or "all", "", "", count, count))
    return out.getvalue()
