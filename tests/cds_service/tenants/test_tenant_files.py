"""Tenant files: the smallest loads, what is wrong is named with file and line, production allows no shortcut."""

from pathlib import Path

import pytest

from cds_service.answering import gate
from cds_service.tenants.tenant_files import TenantError, check_for, demo_tenant, load, load_file
from cds_service.trust.errors import Forbidden

SMALLEST = """\
id: general-hospital
environment: dev
public_url: https://risk.example.org
clients:
  - issuer: https://ehr.example.org
    jwks_url: https://ehr.example.org/jwks.json
    algorithms: [ES384, RS384]
    jti: strict
fhir_base_urls: [https://fhir.example.org/r4]
mode: "on"
"""
VALIDATED = "local_validation: {report: LV17, approved_by: A. Jones, date: 2026-11-01}\n"
PRODUCTION = SMALLEST.replace("environment: dev", "environment: production") + VALIDATED


def a_file(folder: Path, text: str = SMALLEST, name: str = "general.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_smallest_tenant_of_the_interface_loads(tmp_path):
    a_file(tmp_path)
    (tenant,) = load(tmp_path)
    assert tenant.id == "general-hospital"
    assert tenant.clients[0].algorithms == ("ES384", "RS384")
    assert tenant.mode == "on"
    assert tenant.hooks == ("order-select", "order-sign")


def test_the_audience_is_the_public_url_plus_the_path(tmp_path):
    tenant = load_file(a_file(tmp_path, SMALLEST.replace("example.org\nclients", "example.org/base/\nclients")))
    assert tenant.discovery_url == "https://risk.example.org/base/cds-services"
    assert tenant.service_url("surgical-risk") == "https://risk.example.org/base/cds-services/surgical-risk"
    assert tenant.feedback_url("surgical-risk").endswith("/cds-services/surgical-risk/feedback")


def test_an_unquoted_on_is_the_mode_and_not_a_boolean(tmp_path):
    assert load_file(a_file(tmp_path, SMALLEST.replace('"on"', "on"))).mode == "on"
    assert load_file(a_file(tmp_path, SMALLEST.replace('"on"', "off"))).mode == "off"


def test_in_dev_every_card_is_shown_and_silence_explains_itself(tmp_path):
    tenant = load_file(a_file(tmp_path))
    assert (tenant.card_floor, tenant.explain_silence) == (0.0, True)
    production = load_file(a_file(tmp_path, PRODUCTION))
    assert (production.card_floor, production.explain_silence) == (None, False)


def test_a_dev_tenant_that_names_floors_is_held_to_them(tmp_path):
    tenant = load_file(a_file(tmp_path, SMALLEST + "card_floors: {30-day-death: 0.05}\ncard_budget: 0.25\n"))
    assert (tenant.card_floor, tenant.card_floors, tenant.card_budget) == (None, {"30-day-death": 0.05}, 0.25)


def test_a_dev_tenant_with_clients_requires_their_jwt_and_one_without_does_not(tmp_path):
    assert load_file(a_file(tmp_path)).client_jwt == "required"
    without = "id: try\nenvironment: dev\npublic_url: http://127.0.0.1:8000\n"
    assert load_file(a_file(tmp_path, without)).client_jwt == "optional"


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("mode:", "moed:"), 10, "moed"),
        (("    jti: strict", "    jtl: strict"), 8, "jtl"),
        (("    jti: strict", "    jti: sometimes"), 8, "sometimes"),
        (("environment: dev", "environment: staging"), 2, "staging"),
        (("environment: dev", "environment: 7"), 2, "str"),
        (("id: general-hospital\n", ""), 1, "id"),
        (("algorithms: [ES384, RS384]", "algorithms: [ES384, HS256]"), 7, "HS256"),
        (("algorithms: [ES384, RS384]", "algorithms: [none]"), 7, "none"),
        (('mode: "on"', "deadline_s: soon"), 10, "float"),
        (('mode: "on"', "zone: Mars/Olympus"), 10, "Mars/Olympus"),
        (('mode: "on"', "deadline_s: 60"), 10, "deadline_s"),
        (('mode: "on"', "bands: [3, 2, 1]"), 10, "rising"),
        (('mode: "on"', "card_floors: {frailty: 0.1}"), 10, "frailty is none of 30-day-death"),
        (('mode: "on"', "card_floors: {30-day-death: 0}"), 10, "above 0"),
        (('mode: "on"', "card_floors: {30-day-death: 2}"), 10, "at most 1"),
        (('mode: "on"', "card_floor: 0.1\ncard_floors: {30-day-death: 0.1}"), 10, "one of the two"),
        (('mode: "on"', "card_budget: 25"), 10, "share of operations"),
        (('mode: "on"', "cors_origins: ['*']"), 10, "origin"),
        (('mode: "on"', "private_networks: [127.0.0.0/8]"), 10, "private"),
        (('mode: "on"', "concept_maps: [nowhere.json]"), 10, "nowhere.json"),
        (('mode: "on"', "limits: {depth: 0}"), 10, "limit"),
        (('mode: "on"', "id: twice"), 10, "twice"),
        (('mode: "on"', "data: {units: {mg/dl: g/L}}"), 10, "known already"),
        (('mode: "on"', "data: {units: {Zellen: furlong}}"), 10, "no UCUM unit"),
        (("[https://fhir.example.org/r4]", "['https://u:p@fhir.example.org/']"), 9, "user"),
        (("[https://fhir.example.org/r4]", "['ftp://fhir.example.org/']"), 9, "absolute URL"),
        (("    jwks_url: https://ehr.example.org/jwks.json\n", ""), 5, "jwks"),
        (("public_url: https", "public_url: ["), 3, "YAML"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(tmp_path, change, line, says):
    path = a_file(tmp_path, SMALLEST.replace(*change))
    with pytest.raises(TenantError) as error:
        load_file(path)
    assert str(error.value).startswith(f"{path}:{line}:")
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("public_url: https", "public_url: http"), "https only"),
        (("[https://fhir", "[http://fhir"), "https only"),
        (("jwks_url: https", "jwks_url: http"), "https only"),
        (("issuer: https://ehr.example.org", "issuer: https://sandbox.cds-hooks.org"), "private key is public"),
        (("jti: strict", "jti: strict\n    audiences: [sand_man]"), "sand_man"),
        ((VALIDATED, ""), "DEC-30"),
        ((f'mode: "on"\n{VALIDATED}', "mode: canary\n"), "DEC-30"),
        ((f'mode: "on"\n{VALIDATED}', "modes: [{mode: on, hook: order-sign}]\n"), "DEC-30"),
        (("fhir_base_urls", "client_jwt: optional\nfhir_base_urls"), "DEC-05"),
        (("fhir_base_urls", "vendor_profile: sandbox\nfhir_base_urls"), "dev tenants"),
        (("fhir_base_urls", "bands: [0.5, 2.0, 4.0]\nfhir_base_urls"), "thresholds_approved"),
        (("fhir_base_urls", "warning: {rare: 0.05}\nfhir_base_urls"), "thresholds_approved"),
        (("fhir_base_urls", "card_floor: 0.1\nfhir_base_urls"), "thresholds_approved"),
        (("fhir_base_urls", "card_floors: {30-day-death: 0.05}\nfhir_base_urls"), "thresholds_approved"),
        (("fhir_base_urls", "data: {unread_entries: absent}\nfhir_base_urls"), "two people"),
        (
            (
                "fhir_base_urls",
                "data: {unread_entries: absent, unread_approved: {mapping_report: r7, approved_by: [A B, a b],"
                " date: 2026-11-01}}\nfhir_base_urls",
            ),
            "two people",
        ),
    ],
)
def test_production_allows_no_shortcut(tmp_path, change, says):
    assert load_file(a_file(tmp_path, PRODUCTION)).is_production
    with pytest.raises(TenantError, match=says):
        load_file(a_file(tmp_path, PRODUCTION.replace(*change)))


@pytest.mark.parametrize("member", ["ca_bundle: 7", "concept_maps: [7]", "ca_bundle: [a]"])
def test_a_path_that_is_no_text_is_named_with_file_and_line(tmp_path, member):
    with pytest.raises(TenantError, match=r"general\.yaml:11: Expected `path` as text"):
        load_file(a_file(tmp_path, f"{SMALLEST}{member}\n"))


def test_production_without_local_validation_starts_off_or_silent(tmp_path):
    for mode in ("off", "silent"):
        text = PRODUCTION.replace(VALIDATED, "").replace('mode: "on"', f"mode: {mode}")
        assert load_file(a_file(tmp_path, text)).mode == mode


def test_a_private_key_in_a_tenant_file_is_refused(tmp_path):
    keys = "jwks: {keys: [{kty: EC, crv: P-384, x: a, y: b, d: c}]}"
    with pytest.raises(TenantError, match="private or symmetric"):
        load_file(a_file(tmp_path, SMALLEST.replace("jwks_url: https://ehr.example.org/jwks.json", keys)))


def test_concept_maps_are_read_from_the_files_own_folder(tmp_path):
    (tmp_path / "local.json").write_text("{}", encoding="utf-8")
    assert load_file(a_file(tmp_path, SMALLEST + "concept_maps: [local.json]\n")).concept_maps == (
        tmp_path / "local.json",
    )


def test_a_production_start_refuses_demo_and_dev_tenants(tmp_path):
    dev, production = load_file(a_file(tmp_path)), load_file(a_file(tmp_path, PRODUCTION))
    check_for([dev])
    check_for([production], "production")
    for tenants in ([dev], [demo_tenant("http://127.0.0.1:8000")]):
        with pytest.raises(TenantError, match="production start refuses"):
            check_for(tenants, "production")
    with pytest.raises(TenantError, match="production start refuses"):
        check_for([dev, production])


def test_two_tenants_share_no_id_and_no_issuer_unless_the_tenant_claim_tells_them_apart(tmp_path):
    a_file(tmp_path)
    a_file(tmp_path, SMALLEST, "other.yaml")
    with pytest.raises(TenantError, match="two tenants are called"):
        load(tmp_path)
    a_file(tmp_path, SMALLEST.replace("general-hospital", "other"), "other.yaml")
    with pytest.raises(TenantError, match="also calls for another tenant"):
        load(tmp_path)
    for name, claim in (("general", "east"), ("other", "west")):
        text = SMALLEST.replace("general-hospital", name).replace("jti: strict", f"jti: strict\n    tenants: [{claim}]")
        a_file(tmp_path, text, f"{name}.yaml")
    assert len(load(tmp_path)) == 2


def test_an_empty_or_absent_folder_does_not_start(tmp_path):
    with pytest.raises(TenantError, match="holds no tenant"):
        load(tmp_path)
    with pytest.raises(TenantError, match="no such folder"):
        load(tmp_path / "absent")


def test_the_eu_is_served_only_once_ce_marked(tmp_path):
    gate.check_region(load_file(a_file(tmp_path)))
    with pytest.raises(Forbidden):
        gate.check_region(load_file(a_file(tmp_path, SMALLEST + "region: EU\n")))
    gate.check_region(load_file(a_file(tmp_path, SMALLEST + "region: EU\nce_marked: true\n")))


def test_the_demo_tenant_is_open_on_loopback_and_silences_nothing():
    tenant = demo_tenant("http://127.0.0.1:8000")
    assert (tenant.environment, tenant.client_jwt, tenant.mode) == ("demo", "optional", "on")
    assert (tenant.card_floor, tenant.dedupe_window_s) == (0.0, 600.0)
    assert set(tenant.hooks) == {"order-select", "order-sign", "appointment-book", "patient-view"}


@pytest.mark.parametrize("word", ["short", "with blanks in it so", "a" * 65, "slash/slash/slash/slash"])
def test_a_word_for_local_pages_that_could_be_guessed_or_is_no_path_is_refused(tmp_path, word):
    (tmp_path / "a.yaml").write_text(f"{SMALLEST}local_pages: {word!r}\n")
    with pytest.raises(TenantError, match="local_pages"):
        load(tmp_path)


def test_a_uri_of_the_site_is_a_code_system_by_its_name(tmp_path):
    tenant = load_file(a_file(tmp_path, SMALLEST + "code_systems: {urn:hospital:icd: icd-10-gm}\n"))
    assert tenant.code_systems == {"urn:hospital:icd": "icd-10-gm"}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("urn:hospital:icd: icd-11", r"general\.yaml:11: .*icd-11 is no system that is read here; there are atc, cpt"),
        ("http://hl7.org/fhir/sid/icd-10-cm: icd-10", r"general\.yaml:11: .*already is .*never redefines"),
    ],
)
def test_a_code_system_that_is_none_or_is_known_stops_the_start(tmp_path, written, told):
    with pytest.raises(TenantError, match=told):
        load_file(a_file(tmp_path, SMALLEST + f"code_systems: {{{written}}}\n"))
