"""Whom we may call: the SSRF tables of R-G01 and R-G03, with the packets counted at a listening socket."""

import socket
import time

import msgspec
import pytest

from cds_service.tenants.tenant import Tenant
from cds_service.tenants.tenant_files import demo_tenant
from cds_service.trust import addresses, egress
from cds_service.trust.outbound import Door, OutboundError, Reply
from tests.cds_service.trust.listener import listening


def a_tenant(*bases: str, environment: str = "production", **members: object) -> Tenant:
    tenant = Tenant(id="t", environment="production", public_url="https://risk.example.org", fhir_base_urls=bases)
    return msgspec.structs.replace(tenant, environment=environment, **members)


LISTED = "https://fhir.example.org/r4"


@pytest.mark.parametrize(
    "url", [LISTED, LISTED + "/", LISTED + "/site-7", "https://FHIR.example.org/r4", "https://fhir.example.org:443/r4"]
)
def test_a_listed_base_url_and_what_lies_below_it_may_be_called(url):
    assert egress.allowed(url, a_tenant(LISTED)) == egress.FhirBase(url.rstrip("/"))


SSRF = [
    "https://169.254.169.254/latest/meta-data",
    "http://169.254.169.254/",
    "https://[::1]/r4",
    "https://[::ffff:127.0.0.1]/r4",
    "https://[::ffff:7f00:1]/r4",
    "https://127.0.0.1/r4",
    "https://0x7f000001/r4",
    "https://2130706433/r4",
    "https://0177.0.0.1/r4",
    "https://127.1/r4",
    "https://localhost/r4",
    "https://0.0.0.0/r4",
    "https://fhir.example.org.evil.example/r4",
    "https://evil.example/fhir.example.org/r4",
    "https://fhir.example.org@evil.example/r4",
    "https://evil.example#@fhir.example.org/r4",
    "https://evil.example\\@fhir.example.org/r4",
    "https://fhir.example.org\\.evil.example/r4",
    "https://fhir.example.org/r4evil",
    "https://fhir.example.org/r4/../admin",
    "https://fhir.example.org/r4/%2e%2e/admin",
    "https://fhir.example.org/r4/./x",
    "https://fhir.example.org/r4/..;/admin",
    "https://fhir.example.org/r4/..;x=1/admin",
    "https://fhir.example.org/r4/.;/x",
    "https://[",
    "http://[",
    "https://fhir.example.org]/r4",
    "https://[fhir.example.org/r4",
    "https://fhir.example.org:/r4:x",
    "https://fhir.example.org/",
    "https://fhir.example.org:8443/r4",
    "http://fhir.example.org/r4",
    "ftp://fhir.example.org/r4",
    "file:///etc/passwd",
    "gopher://fhir.example.org/r4",
    "//fhir.example.org/r4",
    "fhir.example.org/r4",
    "https://fhir.example.org/r4?x=1",
    "https://fhir.example.org/r4#x",
    "https://fhir.example.org/r4\r\nHost: evil.example",
    " https://fhir.example.org/r4",
    "https://fhir.example.org\t/r4",
    "https://fhir%2eexample.org/r4",
    "https://fhir。example.org/r4",
    "https://fhír.example.org/r4",
    "https://fhir.example.org:99999/r4",
    "",
    "https://",
]


@pytest.mark.parametrize("url", SSRF)
def test_no_other_base_url_may_be_called(url):
    assert egress.allowed(url, a_tenant(LISTED)) is None


def get(door: Door, url: str, **headers: str) -> Reply:
    return door.get(url, until=time.monotonic() + 20, at_most_bytes=10_000, headers=headers)


# A query is the caller's own; what is asked of the listed base itself reaches no other place.
SAME_PLACE = {f"{LISTED}?x=1"}


@pytest.mark.parametrize("url", [url for url in SSRF if url not in SAME_PLACE])
def test_a_door_refuses_what_is_not_listed_before_any_packet(url, monkeypatch):
    def no_lookup(*_: object, **__: object) -> None:
        raise AssertionError("a name was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", no_lookup)
    with pytest.raises(OutboundError, match="refused"):
        get(egress.fhir_door(a_tenant(LISTED), connections=1), url)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("fhir.example.org", "127.0.0.1"),
        ("fhir.example.org", "::1"),
        ("fhir.example.org", "::ffff:127.0.0.1"),
        ("fhir.example.org", "169.254.169.254"),
        ("fhir.example.org", "::ffff:169.254.169.254"),
        ("fhir.example.org", "64:ff9b::a9fe:a9fe"),
        ("fhir.example.org", "64:ff9b::a00:8"),
        ("fhir.example.org", "64:ff9b:1::a9fe:a9fe"),
        ("fhir.example.org", "64:ff9b:1:a9fe:a9:fe00::"),
        ("fhir.example.org", "168.63.129.16"),
        ("fhir.example.org", "::ffff:168.63.129.16"),
        ("fhir.example.org", "64:ff9b::a83f:8110"),
        ("fhir.example.org", "100.100.100.200"),
        ("fhir.example.org", "192.0.0.192"),
        ("fhir.example.org", "2002:7f00:1::"),
        ("fhir.example.org", "::a9fe:a9fe"),
        ("fhir.example.org", "::ffff:0:a9fe:a9fe"),
        ("fhir.example.org", "2606:4700::5efe:a9fe:a9fe"),
        ("fhir.example.org", "2606:4700::200:5efe:a00:8"),
        ("fhir.example.org", "fe80::1%eth0"),
        ("fhir.example.org", "fd00:ec2::254"),
        ("fhir.example.org", "10.0.0.8"),
        ("fhir.example.org", "172.16.0.9"),
        ("fhir.example.org", "192.168.1.1"),
        ("fhir.example.org", "100.64.0.1"),
        ("fhir.example.org", "0.0.0.0"),
        ("fhir.example.org", "224.0.0.1"),
        ("fhir.example.org", "not an address"),
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
    ],
)
def test_no_name_leads_to_an_internal_address_in_production(host, address):
    assert not addresses.may_connect(host, address, a_tenant(LISTED))


def test_a_private_network_is_reached_only_where_the_tenant_lists_it():
    tenant = a_tenant(LISTED, private_networks=("10.20.0.0/16",))
    assert addresses.may_connect("fhir.example.org", "10.20.3.4", tenant)
    assert not addresses.may_connect("fhir.example.org", "10.21.3.4", tenant)
    assert addresses.may_connect("fhir.example.org", "93.184.216.34", tenant)


METADATA = [
    "169.254.169.254", "169.254.170.2", "169.254.42.42", "169.254.0.23", "fe80::a9fe:a9fe", "168.63.129.16",
    "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe",
    "fd00:42::42", "fd00:a9fe:a9fe::1", "fd00:100::100:200",
]  # fmt: skip


@pytest.mark.parametrize("address", METADATA)
def test_where_a_cloud_tells_its_credentials_is_never_reached_even_in_a_listed_network(address):
    tenant = a_tenant(LISTED, private_networks=("100.64.0.0/10", "fd00::/8", "192.0.0.0/24", "169.254.0.0/16"))
    assert not addresses.may_connect("fhir.example.org", address, tenant)
    assert addresses.may_connect("fhir.example.org", "fd00:1::7", tenant)


def test_in_dev_loopback_is_reached_by_its_own_name_only():
    tenant = a_tenant("http://127.0.0.1:8080/fhir", environment="dev")
    assert addresses.may_connect("127.0.0.1", "127.0.0.1", tenant)
    assert addresses.may_connect("::1", "::1", tenant)
    assert not addresses.may_connect("fhir.example.org", "127.0.0.1", tenant)


@pytest.mark.parametrize("base", ["http://127.0.0.1:9/fhir", "http://localhost:8080/fhir", "http://[::1]:80/r4"])
def test_the_demo_tenant_may_name_any_base_url_on_loopback(base):
    assert egress.allowed(base, demo_tenant("http://127.0.0.1:8000")) is not None


@pytest.mark.parametrize("base", ["http://10.0.0.1/fhir", "https://fhir.example.org/r4", "http://127.0.0.1.evil.com/"])
def test_the_demo_tenant_may_name_nothing_else(base):
    assert egress.allowed(base, demo_tenant("http://127.0.0.1:8000")) is None


def test_a_listed_name_that_resolves_to_loopback_is_not_connected_to(monkeypatch):
    with listening() as inside:
        asked = []

        def rebinding(host: str, *args: object, **kwargs: object) -> list[object]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", inside.port))]

        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        base = f"http://rebind.example.org:{inside.port}/r4"
        with pytest.raises(OutboundError, match="refused"):
            get(egress.fhir_door(a_tenant(base, environment="dev"), connections=1), f"{base}/Patient/1")
        assert (asked, inside.connections) == (["rebind.example.org"], 0)


def test_a_host_with_one_internal_address_among_public_ones_is_not_connected_to(monkeypatch):
    with listening() as inside:
        found = [("93.184.216.34", 80), ("127.0.0.1", inside.port)]
        answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in found]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
        base = "http://mixed.example.org/r4"
        with pytest.raises(OutboundError, match="refused"):
            get(egress.fhir_door(a_tenant(base, environment="dev"), connections=1), base)
        assert inside.connections == 0


def test_redirects_are_not_followed():
    with listening() as elsewhere, listening(lambda _: (302, {"Location": elsewhere.url("/stolen")}, b"")) as fhir:
        door = egress.fhir_door(a_tenant(fhir.url("/r4"), environment="dev"), connections=1)
        assert get(door, fhir.url("/r4/Patient/1"), Authorization="Bearer lent").status == 302
        assert (len(fhir.requests), elsewhere.connections) == (1, 0)


def test_the_door_reaches_the_listed_server_and_not_its_neighbour_path():
    with listening() as fhir:
        door = egress.fhir_door(a_tenant(fhir.url("/r4"), environment="dev"), connections=1)
        assert get(door, fhir.url("/r4/Patient?_id=1")).body == b"{}"
        with pytest.raises(OutboundError, match="refused"):
            get(door, fhir.url("/admin"))
        assert [path for path, _ in fhir.requests] == ["/r4/Patient?_id=1"]


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    with listening() as proxy, listening() as fhir:
        monkeypatch.setenv("HTTP_PROXY", proxy.url())
        monkeypatch.setenv("NO_PROXY", "")
        door = egress.fhir_door(a_tenant(fhir.url("/r4"), environment="dev"), connections=1)
        assert get(door, fhir.url("/r4/metadata")).status == 200
        assert proxy.connections == 0


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/r4?page=2",
        "https://fhir.example.org/other?page=2",
        "https://fhir.example.org:444/r4?page=2",
        "http://fhir.example.org/r4?page=2",
        "https://fhir.example.org/r4/../x?page=2",
        "https://fhir.example.org@evil.example/r4?page=2",
        "//evil.example/r4?page=2",
        "https://fhir.example.org/r4/..;/x?page=2",
        "http://[",
        "https://[::1/r4",
    ],
)
def test_a_next_link_that_leaves_the_base_is_not_within_it(link):
    assert not egress.within(link, LISTED)
    assert egress.joined(LISTED, link) is None


def test_a_next_link_below_the_base_is_within_it():
    assert egress.within("https://fhir.example.org/r4?_getpages=abc&_count=50", LISTED)
    assert egress.within("https://fhir.example.org/r4/Observation?page=2&code=http%3A%2F%2Floinc.org%7C1", LISTED)
