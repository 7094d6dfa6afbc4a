"""`cds-service token`: its tokens are accepted by the service that knows the key, and none is made for production."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from joserfc import jwk

from cds_service.commands.cli import main
from cds_service.tenants.tenant_files import load_file
from cds_service.trust.client_jwt import Endpoint, Verifier
from cds_service.trust.errors import Unauthorized

ISSUER = "https://ehr.example.org"
BASE = "http://127.0.0.1:8000"
SERVICE = f"{BASE}/cds-services/surgical-risk"
NOT_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "k")


class Once:
    """Each token id once, as the record remembers it."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def first_use(self, tenant_id: str, issuer: str, jti: str, *, expires_at: float, now: float) -> bool:
        assert (tenant_id, issuer, expires_at > now) == ("example", ISSUER, True)
        return jti not in self._seen and not self._seen.add(jti)  # type: ignore[func-returns-value]


def run(*words: object, tenants: Path | None = None) -> Result:
    return CliRunner().invoke(main, ["token", *map(str, words)], env={"CDS_TENANTS": str(tenants) if tenants else None})


def a_key(path: Path, algorithm: str = "ES384") -> dict[str, Any]:
    made = run("--key", path, "--new-key", "--algorithm", algorithm)
    assert made.exit_code == 0, made.output
    jwks: dict[str, Any] = json.loads(made.stdout)
    return jwks


def a_tenant(path: Path, jwks: dict[str, Any], *, environment: str = "dev", **client: Any) -> Path:
    clients = [{"issuer": ISSUER, "jwks": jwks, **client}]
    url = BASE if environment == "dev" else "https://risk.example.org"
    path.write_text(
        yaml.safe_dump({"id": "example", "environment": environment, "public_url": url, "clients": clients})
    )
    return path


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
@pytest.mark.parametrize(
    ("audience", "endpoint"),
    [(None, "service"), (f"{SERVICE}/feedback", "feedback"), (f"{BASE}/cds-services", "discovery")],
)
def test_its_token_is_accepted_once_where_it_is_for(
    tmp_path: Path, algorithm: str, audience: str | None, endpoint: Endpoint
) -> None:
    jwks = a_key(tmp_path / "key.json", algorithm)
    file = a_tenant(tmp_path / "t.yaml", jwks, tenants=["east"], subjects=["app-1"])
    told = run("--tenant", file, "--key", tmp_path / "key.json", *(("--audience", audience) if audience else ()))
    assert told.exit_code == 0, told.output
    verifier, header = Verifier([load_file(file)], Once()), f"Bearer {told.stdout.strip()}"
    caller = verifier.verify(header, endpoint=endpoint, service_id="surgical-risk", now=time.time())
    assert caller.issuer == ISSUER
    with pytest.raises(Unauthorized):
        verifier.verify(header, endpoint=endpoint, service_id="surgical-risk", now=time.time())
    other: Endpoint = "service" if endpoint == "discovery" else "discovery"
    with pytest.raises(Unauthorized):
        Verifier([load_file(file)], Once()).verify(header, endpoint=other, service_id="surgical-risk", now=time.time())


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_a_new_key_is_its_owners_alone_and_is_never_printed_or_written_over(tmp_path: Path, algorithm: str) -> None:
    path = tmp_path / "key.json"
    (public,) = a_key(path, algorithm)["keys"]
    private = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [name for name in NOT_PRIVATE if name in public] == []
    assert public["kid"] == private["kid"]
    again = run("--key", path, "--new-key")
    assert (again.exit_code, "never written over" in again.output) == (1, True)
    assert json.loads(path.read_text()) == private


@pytest.mark.parametrize(("lifetime", "seconds"), [(3600, 300), (60, 60)])
def test_it_lasts_five_minutes_or_less(tmp_path: Path, lifetime: int, seconds: int) -> None:
    jwks = a_key(tmp_path / "key.json")
    file = a_tenant(tmp_path / "t.yaml", jwks, max_lifetime_s=lifetime)
    told = json.loads(run("--tenant", file, "--key", tmp_path / "key.json", "--json").stdout)
    assert told["seconds"] == seconds
    header = f"Bearer {told['token']}"
    with pytest.raises(Unauthorized):
        Verifier([load_file(file)], Once()).verify(
            header, endpoint="service", service_id="surgical-risk", now=time.time() + seconds + 61
        )


def test_the_hospital_in_it_is_the_files_first_or_the_one_that_is_named(tmp_path: Path) -> None:
    file = a_tenant(tmp_path / "t.yaml", a_key(tmp_path / "key.json"), tenants=["east", "north"])
    for words, tenant in (((), "east"), (("--tenant-claim", "west"), "west")):
        told = json.loads(run("--tenant", file, "--key", tmp_path / "key.json", "--json", *words).stdout)
        assert told["claims"]["tenant"] == tenant


def test_none_is_made_for_production(tmp_path: Path) -> None:
    key, folder = tmp_path / "key.json", tmp_path / "tenants"
    folder.mkdir()
    file = a_tenant(folder / "t.yaml", a_key(key), environment="production")
    by_hand = ("--key", key, "--issuer")
    for told in (
        run("--tenant", file, "--key", key),
        run(*by_hand, ISSUER, "--audience", SERVICE, tenants=folder),
        run(*by_hand, "https://x.example", "--audience", "https://risk.example.org/cds-services", tenants=folder),
    ):
        assert (told.exit_code, "is in production" in told.output, told.stdout) == (1, True, ""), told.output
    assert run(*by_hand, "https://x.example", "--audience", SERVICE, tenants=folder).exit_code == 0


def test_what_the_service_would_refuse_is_said_before(tmp_path: Path) -> None:
    jwks, key = a_key(tmp_path / "key.json"), tmp_path / "key.json"
    other = a_key(tmp_path / "other.json")
    for file, says in (
        (a_tenant(tmp_path / "a.yaml", other), "does not stand in the jwks"),
        (a_tenant(tmp_path / "b.yaml", jwks, algorithms=["RS384"]), "may not sign with ES384"),
    ):
        told = run("--tenant", file, "--key", key)
        assert (told.exit_code, says in told.output) == (1, True), told.output
    told = run("--tenant", a_tenant(tmp_path / "c.yaml", jwks), "--key", key, "--issuer", "https://x.example")
    assert f"has to name one of its clients: {ISSUER}" in told.output


def _written(kind: str) -> str:
    if kind == "P-256":
        return json.dumps(jwk.ECKey.generate_key("P-256").as_dict(private=True))
    if kind == "public":
        return json.dumps(jwk.ECKey.generate_key("P-384").as_dict(private=False))
    if kind == "other-algorithm":
        return json.dumps({**jwk.ECKey.generate_key("P-384").as_dict(private=True), "alg": "RS384"})
    return kind


@pytest.mark.parametrize(
    "kind",
    [
        "P-256", "public", "other-algorithm", "", "[]", "5", "{", "[" * 20_000, '{"kty": "oct", "k": "AAAA"}',
        '{"kty": "EC"}', '{"kty": "EC", "crv": "P-384", "x": "!", "y": "?", "d": "é"}', '{"kty": 5}',
        '{"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "d": "AA"}',
        '{"kty": "EC", "crv": 3, "x": 1, "y": [], "d": null}',
        '{"kty": "RSA", "n": "AQ", "e": "AQAB", "d": "AQ"}', " " * 70_000,
    ],
    ids=lambda kind: kind[:30].strip() or "blank",
)  # fmt: skip
def test_what_is_no_private_key_for_it_is_told_by_its_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(_written(kind), encoding="utf-8")
    told = run("--key", path, "--issuer", ISSUER, "--audience", SERVICE)
    assert (told.exit_code, told.stdout) == (1, ""), repr(told.exception)
    assert f"Error: {path}: is " in told.stderr


@pytest.mark.parametrize("words", [(), ("--issuer", ISSUER), ("--new-key", "--issuer", ISSUER)])
def test_half_of_it_is_a_wrong_command_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    a_key(tmp_path / "key.json")
    assert run("--key", tmp_path / "key.json", *words).exit_code == 2
