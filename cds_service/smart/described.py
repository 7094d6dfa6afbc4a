"""An assessment as the profile shows it: each result with its trend and its laboratory name, the headline in people."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from markupsafe import Markup

from cds_service.advice.assessment import Assessment
from cds_service.cards import discrete
from cds_service.pages import icon_array, result, trend
from cds_service.pages.icon_array import Array
from cds_service.pages.input_row import InputRow
from cds_service.pages.result import ResultRows
from cds_service.smart import sources
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.results import history
from fhir_mappings.results.measurement_rules import RULES
from models_onnx.score import Range

_COMPUTED = "egfr-computed"  # measurements.py


def result_of(told: Assessment, record: PatientRecord | None) -> ResultRows:
    """The result page's rows; with the record, results have trends and names in the place of ids."""
    read = result.result_rows(discrete.result(told), told.zone)
    known = sources.names(record) if record is not None else {}
    return msgspec.structs.replace(
        read,
        used=tuple(_described(row, told, record, known) for row in read.used),
        unused=tuple(_described(row, told, record, known) for row in read.unused),
    )


def _described(row: InputRow, told: Assessment, record: PatientRecord | None, known: Mapping[str, str]) -> InputRow:
    line = _trend(row.code, told, record) if row.good and record is not None else Markup("")
    own = told.features[row.code].definition
    name = own.label[:1].upper() + own.label[1:] if own else row.name
    return msgspec.structs.replace(row, name=name, source=sources.words(row.source, known), trend=line)


def _trend(name: str, told: Assessment, record: PatientRecord) -> Markup:
    """Of laboratory values that were measured: what is computed has the trend of what it is computed from."""
    rule, feature = RULES.get(name), told.features[name]
    if rule is None or not rule.laboratory or _COMPUTED in feature.flags:
        return Markup("")
    return trend.line(feature, history.of(name, record.recorded, record.clock), told.zone)


def people(told: Assessment, of: int) -> tuple[Array, ...]:
    """The headline as `of` people like this patient, and beside them the usual number."""
    headline = told.headline
    if headline is None:
        return ()
    figure, peer = headline.score.probability, headline.peer
    ends = (headline.low, headline.high) if figure is None else (min(headline.low, figure), max(headline.high, figure))
    found = [icon_array.array("Patients like this one", Range(*ends), of)]
    if peer is not None:
        found.append(icon_array.array("Usual for this operation", Range(peer.probability, peer.probability), of))
    return tuple(found)
