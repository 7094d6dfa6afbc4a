"""One code system has one URI, under whatever name it arrives (messy case 3)."""

from __future__ import annotations

import pytest

from fhir_mappings.code_systems import ATC, ICD_10_CM, ICD_10_PCS, LOINC, SNOMED_CT, canonical, normalised


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("http://snomed.info/", SNOMED_CT),
        ("http://snomed.info/sct/731000124108/version/20250301", SNOMED_CT),
        ("urn:oid:2.16.840.1.113883.6.96", SNOMED_CT),
        ("http://loinc.org/", LOINC),
        ("urn:oid:2.16.840.1.113883.6.1", LOINC),
        ("urn:oid:2.16.840.1.113883.6.90", ICD_10_CM),
        ("http://hl7.org/fhir/sid/icd-10-pcs", ICD_10_PCS),
        ("https://site.example/codes", "https://site.example/codes"),
        (None, ""),
    ],
)
def test_an_alias_is_the_system_itself(name: str | None, uri: str) -> None:
    assert canonical(name) == uri


def test_icd_codes_lose_their_dot_and_gain_capitals() -> None:
    assert normalised(ICD_10_CM, " e11.9 ") == "E119"
    assert normalised(ATC, "b01ac06") == "B01AC06"
    assert normalised(LOINC, "2160-0") == "2160-0"
