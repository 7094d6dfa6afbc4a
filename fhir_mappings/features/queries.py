"""The prefetch templates: what is asked for, by key, in the restricted subset of CDS Hooks (P-20..P-27, P-30..P-37)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fhir_mappings.orders.order_catalogue import LOCAL, ORDERABLES
from fhir_mappings.orders.order_codes import OrderCodes
from fhir_mappings.patient.findings import CONCLUDED
from fhir_mappings.results.result_inputs import LABORATORY, OTHERS
from fhir_mappings.results.site_inputs import SiteInput
from fhir_mappings.terminology.code_systems import LOINC
from fhir_mappings.terminology.concept_maps import ConceptMaps
from fhir_mappings.terminology.expansions import SITE
from fhir_mappings.terminology.value_sets import STANDARD, ValueSets

_PATIENT = "patient={{context.patientId}}"
_LOWER = "-lower-rank"
# Reports of imaging: by the HL7 v2 diagnostic service sections, and by US Core's category. Sources:
# https://terminology.hl7.org/CodeSystem-v2-0074.html, https://hl7.org/fhir/us/core/StructureDefinition-us-core-diagnosticreport-note.html
_SECTION = "http://terminology.hl7.org/CodeSystem/v2-0074"
_IMAGING = (*(f"{_SECTION}|{section}" for section in ("RAD", "IMG", "CT", "NMR", "RX")), f"{LOINC}|LP29684-5")
LISTED_AT_MOST = 8  # R-D07
NONE = OrderCodes()


def prefetch_templates(
    maps: ConceptMaps,
    value_sets: ValueSets = STANDARD,
    order_codes: OrderCodes = NONE,
    inputs: Sequence[SiteInput] = (),
) -> dict[str, str]:
    """The FHIR query of each key, in the order in which they are listed to the client; results newest first.

    Codes are those of the inputs, the site's own (`inputs`) among them, of the tests whose absence a suggestion tells,
    and the site's own for them: nothing is asked for that is neither scored nor shown (DEC-35). The open orders, of
    what may be suggested only, keep a suggestion from asking for what is pending (never-suggest 8). Reports are asked
    for where the site's maps say what their coded conclusions mean.
    Nothing depends on the order of lists, and not every server sorts them: only results are sorted.
    Conditions carry no category and no code filter: what decides is a prefix of an ICD code, which no search has.
    """
    laboratory = (*LABORATORY, *(one.rule.idea for one in inputs))
    asked = {
        "patient": "Patient/{{context.patientId}}",
        "conditions": f"Condition?{_PATIENT}&_count=200",
        "labs": f"Observation?{_PATIENT}&code={_codes(laboratory, maps, value_sets)}&_sort=-date&_count=100",
        "observations": f"Observation?{_PATIENT}&code={_codes(OTHERS, maps, value_sets)}&_sort=-date&_count=100",
        "medications": f"MedicationRequest?{_PATIENT}&status=active&_count=100",
        "procedures": f"Procedure?{_PATIENT}&status=completed&_sort=-date&_count=200",
        "encounter": f"Encounter?{_PATIENT}&_id={{{{context.encounterId}}}}&_count=1",
        "orders": f"ServiceRequest?{_PATIENT}&status=active&code={_orders(maps, value_sets, order_codes)}&_count=100",
    }
    if maps.codes_for(frozenset(CONCLUDED), value_sets):
        asked["reports"] = f"DiagnosticReport?{_PATIENT}&category={','.join(_IMAGING)}&_sort=-date&_count=50"
    return asked


def listed(templates: Mapping[str, str], *, left_to_a_fetch: str) -> dict[str, str]:
    """The templates that discovery lists, at most eight: of nine, this one is not, yet taken where it is sent.

    Where it is not sent it is fetched, as every key is, if access is given.
    """
    too_many = len(templates) > LISTED_AT_MOST
    return {key: template for key, template in templates.items() if not too_many or key != left_to_a_fetch}


def _orders(maps: ConceptMaps, value_sets: ValueSets, order_codes: OrderCodes) -> str:
    """By which codes what may be suggested is ordered: the standard ones, and the site's own."""
    found = []
    for one in ORDERABLES.values():
        if one.system != LOCAL:
            found += [f"{one.system}|{code}" for code in (one.code, *one.equivalents)]
        if (own := order_codes.find(one.system, one.code)) is not None:
            found.append(f"{own.system}|{own.code}")
    ideas = frozenset(idea for one in ORDERABLES.values() for idea in one.ideas)
    found += [f"{system}|{code}" for system, code in maps.codes_for(ideas, value_sets)]
    return ",".join(dict.fromkeys(found))


def _codes(names: Iterable[str], maps: ConceptMaps, value_sets: ValueSets) -> str:
    ideas = [idea for name in names for idea in (name, name + _LOWER) if idea in value_sets.by_id]
    rules = (rule for idea in ideas for rule in value_sets.by_id[idea].includes if rule.kind == "code")
    listed = [f"{rule.system}|{rule.value}" for rule in rules if rule.system == LOINC or rule.trust == SITE]
    own = [f"{system}|{code}" for system, code in maps.codes_for(frozenset(ideas), value_sets)]
    return ",".join(dict.fromkeys(listed + own))
