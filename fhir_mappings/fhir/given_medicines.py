"""Readers of medicines that were handed out or given: such an entry says what a patient may be taking, not that it is.

Of R4; what only another version has makes the reading fail (resources.py).
"""

from __future__ import annotations

from msgspec import Raw, Struct

from fhir_mappings.fhir.elements import CodeableConcept, Dosage, MedicineConcept, Reference

# Nothing was handed out or given. https://hl7.org/fhir/R4/valueset-medicationdispense-status.html and
# https://hl7.org/fhir/R4/valueset-medication-admin-status.html
_NOTHING_GIVEN = frozenset({"entered-in-error", "cancelled", "declined", "not-done"})


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
    dosage_instruction: tuple[Dosage, ...] = ()
    contained: tuple[Raw, ...] = ()
    # other versions
    medication: None = None
    not_done: None = None
    patient: None = None

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
    request: Reference | None = None
    dosage: GivenDose | None = None
    contained: tuple[Raw, ...] = ()
    # other versions
    medication: None = None
    not_given: None = None
    was_not_given: None = None
    patient: None = None

    @property
    def prescriptions(self) -> tuple[Reference, ...]:
        """The prescription by which it was given."""
        return (self.request,) if self.request else ()

    @property
    def routes(self) -> tuple[CodeableConcept, ...]:
        """The route by which it was given."""
        return (self.dosage.route,) if self.dosage and self.dosage.route else ()


GivenMedicine = MedicationDispense | MedicationAdministration


def may_be_taken(given: GivenMedicine) -> bool:
    """Whether the medicine may be one that the patient takes: not where nothing was given."""
    return given.status not in _NOTHING_GIVEN
