"""Typed readers of just the FHIR R4 elements that are used.

They are held against fhir.resources in tests/fhir_mappings/fhir/test_resources_agree.py. A member typed `None` exists
only in other FHIR versions: it makes the reading fail, so that no such resource is half read (DEC-16). So do
`implicitRules` and a `modifierExtension` that is not empty: either may turn what the rest means.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct, field

from fhir_mappings.fhir.elements import (
    ABSENT,
    NO_CODE,
    NO_DIAGNOSIS,
    CodeableConcept,
    Coding,
    DateExtensions,
    DiagnosisConcept,
    DispenseRequest,
    Dosage,
    Extension,
    Ingredient,
    Interval,
    MedicineConcept,
    Period,
    Quantity,
    Reference,
    Timing,
    concept,
    quantity,
)
from fhir_mappings.fhir.given_medicines import GivenMedicine

UNREADABLE_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Patient(Struct, frozen=True, gc=False, rename="camel", tag_field="resourceType", tag="Patient"):
    """The person. `written_name`, `written_identifiers`: their JSON, which only the banner of a page reads."""

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    written_name: Raw = field(default=ABSENT, name="name")
    written_identifiers: Raw = field(default=ABSENT, name="identifier")
    gender: str | None = None
    birth_date: str | None = None
    birth_date_extensions: DateExtensions | None = field(default=None, name="_birthDate")
    deceased_boolean: bool | None = None
    deceased_date_time: str | None = None
    deceased_date_extensions: Raw = field(default=ABSENT, name="_deceasedDateTime")
    link: Raw = ABSENT
    extension: tuple[Extension, ...] = ()


class Condition(Struct, frozen=True, gc=False, rename="camel", tag_field="resourceType", tag="Condition"):
    """One diagnosis."""

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    category: tuple[CodeableConcept, ...] = ()
    code: DiagnosisConcept = NO_DIAGNOSIS
    subject: Reference | None = None
    onset_date_time: str | None = None
    onset_period: Period | None = None
    onset_age: Raw = ABSENT
    onset_range: Raw = ABSENT
    onset_string: Raw = ABSENT
    abatement_date_time: str | None = None
    abatement_period: Period | None = None
    abatement_age: Raw = ABSENT
    abatement_range: Raw = ABSENT
    abatement_string: Raw = ABSENT
    recorded_date: str | None = None
    # other versions
    asserted_date: None = None
    date_recorded: None = None
    patient: None = None
    context: None = None


class Component(Struct, frozen=True, gc=False, rename="camel"):
    """One result of a panel; `written_quantity` as in Observation."""

    modifier_extension: tuple[()] | None = None
    code: CodeableConcept = NO_CODE
    written_quantity: Raw = field(default=ABSENT, name="valueQuantity")
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_integer: int | None = None
    value_range: Interval | None = None
    value_boolean: Raw = ABSENT
    value_ratio: Raw = ABSENT
    value_sampled_data: Raw = ABSENT
    data_absent_reason: CodeableConcept | None = None

    @property
    def value_quantity(self) -> Quantity | None:
        """The value, if it is a quantity; UNREADABLE_QUANTITY where that cannot be read."""
        return quantity(self.written_quantity)


class Observation(Struct, frozen=True, gc=False, rename="camel", tag_field="resourceType", tag="Observation"):
    """One result, vital sign or answer.

    Thousands may come, with the same few codes: `written_code` is the JSON of the code, which is only looked up (or
    set aside by observations.py); `written_quantity` that of the value, read where the result could be what counts.
    """

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    status: str | None = None
    written_code: Raw = field(default=ABSENT, name="code")
    subject: Reference | None = None
    focus: Raw = ABSENT
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: Period | None = None
    effective_timing: Timing | None = None
    issued: str | None = None
    written_quantity: Raw = field(default=ABSENT, name="valueQuantity")
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_integer: int | None = None
    value_range: Interval | None = None
    value_boolean: Raw = ABSENT
    value_ratio: Raw = ABSENT
    value_sampled_data: Raw = ABSENT
    data_absent_reason: CodeableConcept | None = None
    component: tuple[Component, ...] = ()
    has_member: Raw = ABSENT
    contained: Raw = ABSENT
    # other versions
    applies_date_time: None = None
    comments: None = None
    comment: None = None
    related: None = None
    context: None = None

    @property
    def code(self) -> CodeableConcept:
        """What was observed; NO_CODE where that cannot be read."""
        try:
            return concept(bytes(self.written_code))
        except UNREADABLE_JSON:
            return NO_CODE

    @property
    def value_quantity(self) -> Quantity | None:
        """The value, if it is a quantity; UNREADABLE_QUANTITY where that cannot be read."""
        return quantity(self.written_quantity)


Valued = Observation | Component


class DiagnosticReport(Struct, frozen=True, gc=False, rename="camel", tag_field="resourceType", tag="DiagnosticReport"):
    """A report, of which only coded conclusions are read, and by the JSON of its categories of what it can conclude."""

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    status: str | None = None
    code: CodeableConcept = NO_CODE
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    conclusion_code: tuple[CodeableConcept, ...] = ()
    written_category: Raw = field(default=ABSENT, name="category")
    contained: Raw = ABSENT
    # other versions
    coded_diagnosis: None = None
    context: None = None
    image: None = None


class Procedure(Struct, frozen=True, gc=False, rename="camel", tag_field="resourceType", tag="Procedure"):
    """Something done, or being prepared."""

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    status: str | None = None
    code: CodeableConcept = NO_CODE
    subject: Reference | None = None
    encounter: Reference | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    performed_date_time: str | None = None
    performed_period: Period | None = None
    # other versions
    not_done: None = None
    not_performed: None = None
    context: None = None
    occurrence_date_time: None = None
    occurrence_period: None = None


class Encounter(Struct, frozen=True, gc=False, rename="camel", tag_field="resourceType", tag="Encounter"):
    """A visit or stay."""

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    status: str | None = None
    kind: Coding | None = field(default=None, name="class")
    subject: Reference | None = None


class ServiceRequest(Struct, frozen=True, gc=False, rename="camel", tag_field="resourceType", tag="ServiceRequest"):
    """An order of the chart (pending_orders.py); the orders of the session are read by orders.py."""

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    status: str | None = None
    intent: object = None
    do_not_perform: bool | None = None
    code: CodeableConcept = NO_CODE
    subject: Reference | None = None
    authored_on: str | None = None


class Medication(Struct, frozen=True, gc=False, rename="camel", tag_field="resourceType", tag="Medication"):
    """A medicine to which a request points."""

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    status: str | None = None
    code: MedicineConcept | None = None
    ingredient: tuple[Ingredient, ...] = ()
    # other versions
    product: None = None


class MedicationRequest(
    Struct, frozen=True, gc=False, rename="camel", tag_field="resourceType", tag="MedicationRequest"
):
    """A prescription."""

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    status: str | None = None
    intent: str | None = None
    do_not_perform: bool | None = None
    category: tuple[CodeableConcept, ...] = ()
    medication_codeable_concept: MedicineConcept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    reported_boolean: object = None
    reported_reference: object = None
    authored_on: str | None = None
    dosage_instruction: tuple[Dosage, ...] = ()
    dispense_request: DispenseRequest | None = None
    contained: tuple[Raw, ...] = ()
    # other versions
    medication: None = None
    context: None = None
    patient: None = None


class MedicationStatement(
    Struct, frozen=True, gc=False, rename="camel", tag_field="resourceType", tag="MedicationStatement"
):
    """What the patient is said to take."""

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    status: str | None = None
    medication_codeable_concept: MedicineConcept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    date_asserted: str | None = None
    dosage: tuple[Dosage, ...] = ()
    contained: tuple[Raw, ...] = ()
    # other versions
    taken: None = None
    was_not_taken: None = None
    not_taken: None = None
    patient: None = None


Resource = (
    Patient | Condition | Observation | DiagnosticReport | Procedure | Encounter | ServiceRequest
    | Medication | MedicationRequest | MedicationStatement | GivenMedicine
)  # fmt: skip
