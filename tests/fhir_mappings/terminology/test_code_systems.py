"""One code system has one URI, under whatever name it arrives (messy case 3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.terminology import code_systems
from fhir_mappings.terminology.code_systems import (
    ATC,
    ICD_10,
    ICD_10_AM,
    ICD_10_CA,
    ICD_10_CM,
    ICD_10_FR,
    ICD_10_GM,
    ICD_10_JP,
    ICD_10_NL,
    ICD_10_NO,
    ICD_10_PCS,
    ICD_10_SE,
    ICD_10_UK,
    KNOWN,
    LOINC,
    NAMES,
    SKS,
    SNOMED_CT,
    TEXT,
    canonical,
    normalised,
)


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
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", ICD_10_GM),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm|2026", ICD_10_GM),
        ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", ICD_10_GM),
        ("https://fhir.de/CodeSystem/dimdi/icd-10-gm/", ICD_10_GM),
        ("http://hl7.org/fhir/sid/icd-10-gm", ICD_10_GM),
        ("urn:oid:2.16.840.1.113883.6.135", ICD_10_AM),
        ("http://hl7.org/fhir/sid/icd-10-CA", ICD_10_CA),
        ("http://hl7.org/fhir/sid/icd-10-uk", ICD_10_UK),
        ("https://smt.esante.gouv.fr/terminologie-cim-10/", ICD_10_FR),
        ("urn:oid:2.16.840.1.113883.6.3.2", ICD_10_NL),
        ("URN:OID:1.2.752.116.1.1.1.1.3", ICD_10_SE),
        ("urn:oid:2.16.578.1.12.4.1.1.7110", ICD_10_NO),
        ("2.16.578.1.12.4.1.1.7110", ICD_10_NO),
        ("urn:oid:1.2.208.176.2.4.12", SKS),
        ("http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-3digits", ICD_10_JP),
        ("http://fhir.de/CodeSystem/bfarm/atc", ATC),
        ("http://fhir.de/CodeSystem/dimdi/atc|2024", ATC),
        ("https://www.whocc.no/atc", ATC),
        ("urn:oid:2.16.578.1.12.4.1.1.7180", ATC),
        ("https://loinc.org|2.78", LOINC),
        ("http://snomed.info/sct|http://snomed.info/sct/83821000000107/version/20230412", SNOMED_CT),
        ("https://snomed.info/sct/731000124108", SNOMED_CT),
        ("https://hl7.org/fhir/sid/icd-10|2019", ICD_10),
        ("https://site.example/codes", "https://site.example/codes"),
        ("https://site.example/codes|2", "https://site.example/codes|2"),
        ("http://hl7.org/fhir/sid/icd-10-xx", "http://hl7.org/fhir/sid/icd-10-xx"),
        ("http://loinc.org.example.org", "http://loinc.org.example.org"),
        ("urn:oid:2.16.840.1.113883.6.104", "urn:oid:2.16.840.1.113883.6.104"),
        ("|2019", "|2019"),
        (None, ""),
    ],
)
def test_an_alias_is_the_system_itself(name: str | None, uri: str) -> None:
    assert canonical(name) == uri


def test_icd_codes_lose_their_dot_and_gain_capitals() -> None:
    assert normalised(ICD_10_CM, " e11.9 ") == "E119"
    assert normalised(ATC, "b01ac06") == "B01AC06"
    assert normalised(LOINC, "2160-0") == "2160-0"


NAMED = {uri.lower() for uri in (*KNOWN, *code_systems._ALIASES)}


@given(known=st.sampled_from(sorted(KNOWN)), before=st.text(max_size=3), behind=st.text(max_size=30))
def test_no_name_leads_from_an_unknown_system_to_a_known_one(known: str, before: str, behind: str) -> None:
    """Only blanks may stand before a known URI; behind it blanks, a slash, a bar, an edition of SNOMED CT."""
    uri = (before + known + behind).strip().partition("|")[0].rstrip("/").lower()
    edition = uri.startswith((SNOMED_CT + "/", SNOMED_CT.replace("http", "https") + "/"))
    if canonical(before + known + behind) in KNOWN and not edition:
        assert uri in NAMED or uri.replace("https://", "http://") in NAMED


def test_a_name_for_a_tenant_is_one_of_a_system_that_is_read() -> None:
    assert set(NAMES.values()) <= KNOWN
    assert TEXT not in KNOWN


def test_foreign_text_of_any_length_is_never_kept() -> None:
    long = "https://site.example/" + "x" * 5_000  # tests/test_caches.py holds that it is not remembered
    assert canonical(long) == long
