"""Readers of medicines that were handed out or given: such an entry says what a patient may be taking, not that it is.

Of R4; what only another version has makes the reading fail (resources.py).
"""

from __future__ import annotations

from datetime import timedelta

from msgspec import Raw, Struct

from fhir_mappings.fhir.clock import Clock
from fhir_mappings.fhir.dates import Moment, moment
from fhir_mappings.fhir.durations import longest
from fhir_mappings.fhir.elements import ABSENT, CodeableConcept, Dosage, MedicineConcept, Period, Reference

# Nothing was handed out or given. https://hl7.org/fhir/R4/valueset-medicationdispense-status.html and
# https://hl7.org/fhir/R4/valueset-medication-admin-status.html
_NOTHING_GIVEN = frozenset({"entered-in-error", "cancelled", "declined", "not-done"})
# Decisions: for how long a dose, and what was handed out, may be a sign of a medicine that is still taken. What was
# handed out lasts for its supply, and no less than a dose: doses are missed, and the next is fetched late.
_AFTER_A_DOSE, _AFTER_HANDING_OUT = timedelta(days=90), timedelta(days=365)


class MedicationDispense(
    Struct, frozen=True, gc=False, rename="camel", tag_field="resourceType", tag="MedicationDispense"
):
    """A medicine that a pharmacy handed out."""

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    status: str | None = None
    medication_codeable_concept: MedicineConcept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    authorizing_prescription: tuple[Reference, ...] = ()
    when_prepared: str | None = None
    when_handed_over: str | None = None
    days_supply: Raw = ABSENT
    dosage_instruction: tuple[Dosage, ...] = ()
    contained: tuple[Raw, ...] = ()
    # other versions
    medication: None = None
    not_done: None = None
    patient: None = None

    def when(self, now: Clock) -> Moment | None:
        """When it was handed out, else made ready."""
        return moment(self.when_handed_over or self.when_prepared, now.zone)

    @property
    def lasts(self) -> timedelta:
        """For how long after that it may be taken."""
        supply = longest(self.days_supply, "d")
        return _AFTER_HANDING_OUT if supply is None else max(supply, _AFTER_A_DOSE)

    @property
    def prescriptions(self) -> tuple[Reference, ...]:
        """The prescriptions by which it was handed out."""
        return self.authorizing_prescription

    @property
    def routes(self) -> tuple[CodeableConcept, ...]:
        """The routes by which it is to be taken."""
        return tuple(one.route for one in self.dosage_instruction if one.route)


class GivenDose(Struct, frozen=True, gc=False, rename="camel"):
    """By which route a dose was given."""

    modifier_extension: tuple[()] | None = None
    route: CodeableConcept | None = None


class MedicationAdministration(
    Struct, frozen=True, gc=False, rename="camel", tag_field="resourceType", tag="MedicationAdministration"
):
    """A dose that was given."""

    id: str | None = None
    implicit_rules: None = None
    modifier_extension: tuple[()] | None = None
    status: str | None = None
    medication_codeable_concept: MedicineConcept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    request: Reference | None = None
    dosage: GivenDose | None = None
    contained: tuple[Raw, ...] = ()
    # other versions
    medication: None = None
    not_given: None = None
    was_not_given: None = None
    patient: None = None

    def when(self, now: Clock) -> Moment | None:
        """When it was given last; None where that is not known, or it is not ended."""
        return moment(self.effective_date_time or (self.effective_period or Period()).end, now.zone)

    @property
    def lasts(self) -> timedelta:
        """For how long after that the same may be taken."""
        return _AFTER_A_DOSE

    @property
    def prescriptions(self) -> tuple[Reference, ...]:
        """The prescription by which it was given."""
        return (self.request,) if self.request else ()

    @property
    def routes(self) -> tuple[CodeableConcept, ...]:
        """The route by which it was given."""
        return (self.dosage.route,) if self.dosage and self.dosage.route else ()


GivenMedicine = MedicationDispense | MedicationAdministration


def may_be_taken(given: GivenMedicine, now: Clock) -> bool:
    """Whether the medicine may be one that the patient takes: not where nothing was given, or so long ago."""
    if given.status in _NOTHING_GIVEN:
        return False
    when = given.when(now)
    return when is None or now.today - when.last <= given.lasts


def is_ended(given: GivenMedicine, prescription_status: str | None) -> bool:
    """Whether it is not taken any more by what became of its prescription.

    What was handed out before a prescription was completed may last longer.
    """
    return prescription_status == "stopped" or (
        prescription_status == "completed" and isinstance(given, MedicationAdministration)
    )
