"""Two inputs of the Apfel score that a person has to tell: earlier nausea, and opioids after the operation.

Neither is looked for and found absent: what is seldom coded, or not ordered yet, is missing and never "no".
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from fhir_mappings.fhir.dates import moment
from fhir_mappings.fhir.decode_resources import UNREADABLE_JSON, names_another
from fhir_mappings.fhir.resources import MedicationRequest, Valued
from fhir_mappings.orders.open_orders import is_open
from fhir_mappings.patient import medications
from fhir_mappings.patient.diagnosis_features import present_by, yes
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.patient.questionnaire_answers import answered
from fhir_mappings.results.feature import Feature
from fhir_mappings.results.quantities import Reading, absent, rejected
from fhir_mappings.terminology.concept_maps import Vocabulary

HISTORY, PLAN = "nausea_or_motion_sickness_history", "postoperative_opioid_planned"
# How long an answer counts: decisions of this product. A disposition is lasting; a plan is one operation's.
HISTORY_DAYS, PLAN_DAYS = 1826, 90
_WRITTEN = {b"true": True, b"false": False}
_SAID = {"answer-yes": True, "answer-no": False}


def history(record: PatientRecord) -> Feature:
    """Postoperative nausea or motion sickness, ever: a diagnosis of either, else the site's question and its answer."""
    diagnosed = record.diagnoses.of("nausea-or-motion-sickness", current=False)
    if diagnosed:
        return present_by(HISTORY, diagnosed, record.seen("conditions").flags)
    return _answer(HISTORY, "nausea-or-motion-sickness-question", HISTORY_DAYS, record)


def opioid_planned(record: PatientRecord, drafts: Sequence[Raw]) -> Feature:
    """Opioids after the operation: one ordered in the same session, else the site's question and its answer.

    An opioid that is taken already tells nothing of the operation's aftermath.
    """
    for request in _prescriptions(drafts, record.patient_id):
        if "opioid" in medications.classes(request, record.words):
            return yes(PLAN, f"MedicationRequest/{request.id or ''}", moment(request.authored_on, record.zone))
    answer = _answer(PLAN, "postoperative-opioid-question", PLAN_DAYS, record)
    return replace(answer, reason="not-ordered") if answer.reason == "never-recorded" else answer


def _prescriptions(drafts: Sequence[Raw], patient_id: str) -> list[MedicationRequest]:
    """The session's prescriptions for this patient that may still be given; one that cannot be read asks for none."""
    found = []
    for draft in drafts:
        if b'"MedicationRequest"' not in bytes(draft):
            continue
        try:
            request = msgspec.json.decode(draft, type=MedicationRequest)
        except UNREADABLE_JSON:
            continue
        wanted = is_open(request.status, intent=request.intent, forbidden=request.do_not_perform)
        if wanted and not names_another(request.subject, patient_id):
            found.append(request)
    return found


def _answer(name: str, idea: str, days: int, record: PatientRecord) -> Feature:
    arguments = (record.recorded, record.words, record.seen("observations"), record.clock)
    return answered(name, idea, days, _yes_or_no, arguments)


def _yes_or_no(valued: Valued, words: Vocabulary) -> Reading:
    written = _WRITTEN.get(bytes(valued.value_boolean))
    if written is None:
        concept = valued.value_codeable_concept
        ideas = {idea for one in concept.coding for idea in words.ideas(one.system, one.code)} if concept else set()
        said = [value for idea, value in _SAID.items() if idea in ideas]
        if len(said) > 1:
            return Reading("conflicting", reason="two-concepts")
        if not said:
            has_value = concept is not None or valued.value_string is not None
            return rejected("answer-unknown") if has_value else absent(valued.data_absent_reason)
        written = said[0]
    return Reading("used", value=written, model_value=written)
