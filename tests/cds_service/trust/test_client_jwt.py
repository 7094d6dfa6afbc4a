"""Who may call: good tokens of every kind that vendors send, and the attack table of R-G04, every row a uniform 401."""

import base64
import hashlib
import hmac
import json

import jwt
import pytest

from cds_service.tenants.tenant import Jwks
from cds_service.tenants.tenant_files import demo_tenant
from cds_service.trust.client_jwt import Caller, Verifier, reason
from cds_service.trust.errors import Forbidden, NotReady, Unauthorized
from tests.cds_service.trust.signing import (
    ISSUER,
    NOW,
    PUBLIC_URL,
    SERVICE,
    UsedInMemory,
    a_client,
    a_tenant,
    claims,
    key,
    public,
    token,
)


def verify(header: str | None, *tenants, endpoint="service", now=NOW, verifier=None) -> Caller:
    verifier = verifier or Verifier(tenants or (a_tenant(),), UsedInMemory())
    return verifier.verify(header, endpoint=endpoint, service_id="surgical-risk", now=now)


def refused(header: str | None, *tenants, **options) -> str:
    with pytest.raises(Unauthorized) as error:
        verify(header, *tenants, **options)
    assert (error.value.text, error.value.diagnostics) == ("Authentication failed.", None)
    return reason(error.value)


@pytest.mark.parametrize("kind", ["ES384", "RS384"])
def test_the_recommended_algorithms_are_accepted(kind):
    caller = verify(f"Bearer {token(kind)}")
    assert (caller.tenant.id, caller.issuer) == ("general-hospital", ISSUER)


@pytest.mark.parametrize("kind", ["ES256", "RS256"])
def test_the_smaller_algorithms_are_accepted_only_where_the_client_lists_them(kind):
    assert verify(f"Bearer {token(kind)}", a_tenant(a_client(kind, algorithms=(kind,)))).issuer == ISSUER
    assert refused(f"Bearer {token(kind)}", a_tenant(a_client(kind))) == "algorithm"


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer  "])
def test_the_scheme_is_read_in_any_case_and_with_two_spaces(scheme):
    assert verify(scheme + token()).issuer == ISSUER


def forged(header: dict, payload: dict | None = None, signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(payload or claims()).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def signed_with_public_key(alg: str, kind: str) -> str:
    """HS* keyed with what the attacker knows of an RSA or EC key: its PEM (the classic confusion)."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem = key(kind).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    unsigned = forged({"alg": alg, "typ": "JWT", "kid": f"key-{kind}"})[:-1]
    digest = hmac.new(pem, unsigned.encode(), hashlib.new(f"sha{alg[2:]}").name).digest()
    return f"{unsigned}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def tampered(signed: str) -> str:
    head, _, signature = signed.split(".")
    return f"{head}.{forged({}, claims(sub='someone else')).split('.')[1]}.{signature}"


ATTACKS = {
    "alg none": lambda: forged({"alg": "none", "typ": "JWT", "kid": "key-ES384"}),
    "alg NONE": lambda: forged({"alg": "NONE", "typ": "JWT", "kid": "key-ES384"}),
    "alg nOnE with a signature": lambda: forged({"alg": "nOnE", "typ": "JWT", "kid": "key-ES384"}, None, b"x" * 96),
    "HS256 with the RSA public key": lambda: signed_with_public_key("HS256", "RS384"),
    "HS384 with the EC public key": lambda: signed_with_public_key("HS384", "ES384"),
    "HS512 with the RSA public key": lambda: signed_with_public_key("HS512", "RS384"),
    "RS384 header over an ES384 key": lambda: token("RS384", header={"kid": "key-ES384"}),
    "ES384 header over an RS384 key": lambda: token("ES384", header={"kid": "key-RS384"}),
    "RS256 where only RS384 is allowed": lambda: jwt.encode(
        claims(), key("RS384"), algorithm="RS256", headers={"kid": "key-RS384"}
    ),
    "another key under the same kid": lambda: token(number=1),
    "no kid": lambda: jwt.encode(claims(), key(), algorithm="ES384"),
    "kid of a path": lambda: token(header={"kid": "../../../../dev/null"}),
    "kid of SQL": lambda: token(header={"kid": "x' UNION SELECT 'key"}),
    "kid not a string": lambda: forged({"alg": "ES384", "typ": "JWT", "kid": 7}),
    "own key in jwk": lambda: token(number=1, header={"jwk": public(number=1)}),
    "own key in x5c": lambda: token(number=1, header={"x5c": ["MIIB"]}),
    "own key by x5u": lambda: token(number=1, header={"x5u": "https://evil.example/cert.pem"}),
    "own key by jku": lambda: token(number=1, header={"jku": "https://evil.example/jwks.json"}),
    "audience of another service": lambda: token(aud=f"{PUBLIC_URL}/cds-services/other"),
    "audience is a prefix": lambda: token(aud=PUBLIC_URL),
    "audience with a suffix": lambda: token(aud=SERVICE + "/"),
    "audience of http": lambda: token(aud=SERVICE.replace("https", "http")),
    "audience of the feedback endpoint": lambda: token(aud=SERVICE + "/feedback"),
    "audience sand_man": lambda: token(aud="sand_man"),
    "audience array without ours": lambda: token(aud=["https://a.example", "https://b.example"]),
    "audience array of objects": lambda: token(aud=[{"url": SERVICE}]),
    "audience empty": lambda: token(aud=[]),
    **{f"no {name}": (lambda name=name: token(**{name: None})) for name in ("iss", "aud", "exp", "iat", "jti")},
    "expired": lambda: token(iat=NOW - 600, exp=NOW - 120),
    "issued in the future": lambda: token(iat=NOW + 600, exp=NOW + 900),
    "not valid yet": lambda: token(nbf=NOW + 600),
    "lasts a day": lambda: token(exp=NOW + 86_400),
    "expires before it was issued": lambda: token(iat=NOW + 30, exp=NOW + 20),
    "exp is text": lambda: forged_and_signed(exp="never"),
    "exp is true": lambda: forged_and_signed(exp=True),
    "exp is infinite": lambda: forged_and_signed(exp=float("inf")),
    "exp is a list": lambda: forged_and_signed(exp=[1]),
    "jti empty": lambda: token(jti=""),
    "jti enormous": lambda: token(jti="x" * 5000),
    "typ of an access token": lambda: token(header={"typ": "at+jwt"}),
    "no typ": lambda: jwt.encode(claims(), key(), algorithm="ES384", headers={"kid": "key-ES384", "typ": None}),
    "crit": lambda: token(header={"crit": ["exp"]}),
    "unencoded payload": lambda: forged({"alg": "ES384", "typ": "JWT", "kid": "key-ES384", "b64": False}),
    "unknown issuer": lambda: token(iss="https://evil.example"),
    "issuer with a slash more": lambda: token(iss=ISSUER + "/"),
    "issuer as a list": lambda: forged_and_signed(iss=[ISSUER]),
    "signature left out": lambda: token().rsplit(".", 1)[0] + ".",
    "claims changed after signing": lambda: tampered(token()),
    "five parts": lambda: token() + ".a.b",
    "not base64": lambda: "a!.b!.c!",
    "opaque access token": lambda: "some-opaque-access-token",
    "deeply nested claims": lambda: forged({"alg": "ES384", "kid": "key-ES384"}, nested(5000)),
    "enormous": lambda: forged({"alg": "ES384", "kid": "k" * 40_000}),
}


def nested(depth: int) -> dict:
    payload: dict = {}
    for _ in range(min(depth, 900)):
        payload = {"a": payload}
    return payload


def forged_and_signed(**changes: object) -> str:
    """Claims that PyJWT would not encode itself, with a good signature all the same."""
    unsigned = forged({"alg": "ES384", "typ": "JWT", "kid": "key-ES384"}, claims(**changes)).rsplit(".", 1)[0]
    signature = jwt.get_algorithm_by_name("ES384").sign(unsigned.encode(), key())
    return f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


REASONS = {"exp is text": "time", "exp is true": "time", "exp is infinite": "not-a-token", "exp is a list": "time"}
REASONS |= {"expired": "expired", "lasts a day": "lifetime", "not valid yet": "from-the-future", "no typ": "header"}
REASONS |= {"audience is a prefix": "audience", "crit": "header"}
REASONS |= {"HS256 with the RSA public key": "algorithm", "another key under the same kid": "signature"}


@pytest.mark.parametrize("attack", ATTACKS)
def test_R_G04_every_attack_is_the_same_401(attack):
    why = refused(f"Bearer {ATTACKS[attack]()}")
    assert why == REASONS.get(attack, why) != "unknown"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwdw==", "JWT a.b.c", "a, b"])
def test_J_01_no_token_is_a_401(header):
    assert refused(header) in ("no-token", "not-a-token")


def test_J_13_a_token_is_used_once_unless_its_client_is_relaxed():
    header = f"Bearer {token()}"
    strict = Verifier((a_tenant(),), UsedInMemory())
    verify(header, verifier=strict)
    assert refused(header, verifier=strict) == "replay"
    relaxed = Verifier((a_tenant(a_client(jti="relaxed")),), UsedInMemory())
    verify(header, verifier=relaxed)
    assert verify(header, verifier=relaxed).issuer == ISSUER


def test_a_refused_token_does_not_use_up_its_id():
    jti = "the-same"
    strict = Verifier((a_tenant(),), UsedInMemory())
    refused(f"Bearer {token(jti=jti, number=1)}", verifier=strict)
    assert verify(f"Bearer {token(jti=jti)}", verifier=strict).issuer == ISSUER


def test_J_10_an_audience_array_and_the_clients_own_list_are_accepted():
    assert verify(f"Bearer {token(aud=['https://x.example', SERVICE])}").issuer == ISSUER
    typed = a_tenant(a_client(audiences=("https://typed.example/by-hand",)))
    assert verify(f"Bearer {token(aud='https://typed.example/by-hand')}", typed).issuer == ISSUER
    dev = a_tenant(a_client(audiences=("sand_man",)), environment="dev")
    assert verify(f"Bearer {token(aud='sand_man')}", dev).issuer == ISSUER


def test_K_08_feedback_takes_its_own_url_and_the_services():
    for audience in (SERVICE, SERVICE + "/feedback"):
        assert verify(f"Bearer {token(aud=audience)}", endpoint="feedback").issuer == ISSUER
    assert refused(f"Bearer {token(aud=PUBLIC_URL + '/cds-services')}", endpoint="feedback") == "audience"


def test_D_17_discovery_takes_its_own_url_only():
    assert verify(f"Bearer {token(aud=PUBLIC_URL + '/cds-services')}", endpoint="discovery").issuer == ISSUER
    assert refused(f"Bearer {token()}", endpoint="discovery") == "audience"


def test_the_audience_behind_a_proxy_is_the_public_url():
    tenant = a_tenant(public_url="https://proxy.example/risk")
    audience = "https://proxy.example/risk/cds-services/surgical-risk"
    assert verify(f"Bearer {token(aud=audience)}", tenant).issuer == ISSUER


def test_J_11_times_have_a_leeway_of_a_minute():
    assert verify(f"Bearer {token(iat=NOW - 300, exp=NOW - 30)}").issuer == ISSUER
    assert verify(f"Bearer {token(iat=NOW + 30)}").issuer == ISSUER
    assert verify(f"Bearer {token(nbf=NOW - 300, exp=NOW + 900)}").issuer == ISSUER


def test_J_12_the_lifetime_limit_is_an_hour_or_less_where_the_client_says_so():
    assert verify(f"Bearer {token(exp=NOW + 3600)}").issuer == ISSUER
    assert refused(f"Bearer {token(exp=NOW + 900)}", a_tenant(a_client(max_lifetime_s=300))) == "lifetime"


def test_J_14_a_tenant_claim_off_the_clients_list_is_a_403_and_an_absent_one_is_fine():
    tenant = a_tenant(a_client(tenants=("east",)))
    assert verify(f"Bearer {token(tenant='east')}", tenant).issuer == ISSUER
    assert verify(f"Bearer {token()}", tenant).issuer == ISSUER
    with pytest.raises(Forbidden):
        verify(f"Bearer {token(tenant='west')}", tenant)
    assert refused(f"Bearer {token(tenant='west', number=1)}", tenant) == "signature"


def test_one_issuer_in_two_tenants_is_told_apart_by_its_claim():
    east = a_tenant(a_client(tenants=("east",)), id="east")
    west = a_tenant(a_client(tenants=("west",)), id="west")
    assert verify(f"Bearer {token(tenant='west')}", east, west).tenant.id == "west"
    assert refused(f"Bearer {token()}", east, west) == "tenant"
    with pytest.raises(Forbidden):
        verify(f"Bearer {token(tenant='north')}", east, west)


def test_R_G04_tenants_are_not_swapped():
    other = a_tenant(a_client(issuer="https://other.example", jwks=Jwks(keys=(public(number=1),))), id="other")
    assert refused(f"Bearer {token(number=1)}", a_tenant(), other) == "signature"
    assert verify(f"Bearer {token(number=1, iss='https://other.example')}", a_tenant(), other).tenant.id == "other"


def test_J_15_extra_claims_are_tolerated_and_sub_is_checked_only_where_listed():
    assert verify(f"Bearer {token(sub='client-7', nbf=NOW - 300, extra={'a': 1})}").issuer == ISSUER
    tenant = a_tenant(a_client(subjects=("client-7",)))
    assert verify(f"Bearer {token(sub='client-7')}", tenant).issuer == ISSUER
    assert refused(f"Bearer {token(sub='client-8')}", tenant) == "subject"


def test_DEC_05_the_one_open_tenant_needs_no_proof_but_a_known_issuer_must_prove_itself():
    demo = demo_tenant("http://127.0.0.1:8000")
    assert verify(None, demo).tenant.id == "demo"
    assert verify(f"Bearer {token(iss='https://sandbox.cds-hooks.org')}", demo).tenant.id == "demo"
    dev = a_tenant(environment="dev", client_jwt="optional")
    assert verify(None, dev).issuer is None
    assert refused(f"Bearer {token(number=1)}", dev) == "signature"


def test_two_open_tenants_or_a_production_one_are_never_guessed():
    one, two = demo_tenant("http://127.0.0.1:8000"), a_tenant(environment="dev", client_jwt="optional")
    assert refused(None, one, two) == "no-token"
    assert refused(None, a_tenant(client_jwt="optional")) == "no-token"


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_weak_rsa_key_is_no_key():
    tenant = a_tenant(a_client(jwks=Jwks(keys=(public("weak", kid="key-RS384"),))))
    weak = jwt.PyJWT({"enforce_minimum_key_length": False}).encode
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        signed = weak(claims(), key("weak"), algorithm="RS384", headers={"kid": "key-RS384"})
    assert refused(f"Bearer {signed}", tenant) == "key"


def test_keys_that_cannot_be_had_are_a_503_with_the_seconds_to_wait():
    client = a_client(jwks=None, jwks_url="http://127.0.0.1:9/jwks.json")
    with pytest.raises(NotReady) as error:
        verify(f"Bearer {token()}", a_tenant(client, environment="dev"))
    assert (error.value.status, error.value.retry_after_s) == (503, 5)


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [10**400, -(10**400), 1e308, True, "1", [], float("nan")])
def test_an_instant_that_is_none_is_refused(name, value):
    assert refused(f"Bearer {token(**{name: value})}") in (
        "time",
        "signature",
        "lifetime",
        "from-the-future",
        "not-a-token",
    )
