"""The parts of a tenant's file: its clients, limits, approvals, retention, profile and terminology server."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import msgspec

Algorithm = Literal["ES384", "RS384", "ES256", "RS256"]


class Jwks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A client's public keys in the tenant file itself, for clients without a JWKS URL.

    `keys`: the keys as RFC 7517 writes them, public ones only.
    """

    keys: tuple[dict[str, Any], ...]


class Client(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A CDS Client that may call for this tenant (J-05..J-14, DEC-04, DEC-18).

    `issuer`: the `iss` of its tokens. `jwks_url`: where its public keys are. `jwks`: the keys themselves.
    `algorithms`: how it may sign. `jti`: strict: each token once; relaxed: again until it expires.
    `audiences`: accepted besides the exact endpoint URL, for clients whose `aud` is typed in by hand.
    `tenants`: accepted values of the `tenant` claim; empty: the claim is not looked at.
    `subjects`: accepted values of `sub` (Epic: the client id); empty: the claim is not looked at.
    `max_lifetime_s`: how long after its issue a token may expire, seconds.
    """

    issuer: str
    jwks_url: str | None = None
    jwks: Jwks | None = None
    algorithms: tuple[Algorithm, ...] = ("ES384", "RS384")
    jti: Literal["strict", "relaxed"] = "strict"
    audiences: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    max_lifetime_s: int = 3600


class Canary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is shown cards in mode `canary`.

    `users`: these (`Type/id`). `percent`: and this share of all others, 0 to 100.
    """

    users: tuple[str, ...] = ()
    percent: float = 0.0


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one request may cost, and how many a tenant may send (R-G09, R-G10, R-G18). Sizes in bytes.

    The rate holds for all workers and nodes together, concurrency in each worker process.
    `body_bytes`: of a request; more is 413. `inflated_bytes`: of a request once unpacked. `inflation_ratio`: how many
    times larger it may get; by default as many as come (a hundred results with their narrative are 21 times larger than
    their gzip). `depth`: how deep its JSON may nest. `entries`: resources of one prefetch value.
    `string_characters`: of one text. `number_characters`: of one number. `requests_per_s`: sustained; more is 429.
    `burst`: how many may come at once on top. `concurrent`: how many may be answered at the same time.
    """

    body_bytes: int = 5 * 1024 * 1024
    inflated_bytes: int = 20 * 1024 * 1024
    inflation_ratio: int | None = None
    depth: int = 64
    entries: int = 5_000
    string_characters: int = 64 * 1024
    number_characters: int = 32
    requests_per_s: float = 1_000.0
    burst: int = 2_000
    concurrent: int = 64


class LocalValidation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The report on this hospital's own cases that a person approved before the first visible card (DEC-30).

    `report`: its name. `approved_by`: who approved it. `date`: when. `sha256`: of the report, as
    `cds-service validate` told it; without it `mode set` puts nothing in front of clinicians.
    `validity`, `fairness`: what it found, in words, for attributes 27 and 29 of the hospital's own model pages (H-11).
    """

    report: str
    approved_by: str
    date: datetime.date
    sha256: str = ""
    validity: str = ""
    fairness: str = ""


class ValidationGates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a validation report has to show before a card may be shown here (R-E02, gates 12 and 13).

    `weeks`: of the window, at least. `operations`: with a known outcome, at least. `events`: of these outcomes at least
    so many; an outcome that is not named is told in the report and judged by nobody. `o_e`: observed to expected,
    between. `slope`: of calibration, between. `auroc`: at least. `mapped`: the share of calls with an operation that is
    in a procedure group, at least. `group_o_e`: of a group of people beside the whole, between; a group breaks it where
    its whole interval lies outside. `days`: how old the end of the window may be. `lag_days`: until an outcome is
    reported, at least. `lost`: the share of operations not followed through the horizon, at most. `approved_by`,
    `date`: who answers, since when, for gates that let more pass than these.
    """

    weeks: int = 4
    operations: int = 200
    events: dict[str, int] = msgspec.field(default_factory=lambda: {"any-complication": 100})
    o_e: tuple[float, float] = (0.8, 1.25)
    slope: tuple[float, float] = (0.7, 1.3)
    auroc: float = 0.65
    mapped: float = 0.95
    group_o_e: tuple[float, float] = (0.67, 1.5)
    days: int = 180
    lag_days: int = 90
    lost: float = 0.05
    approved_by: str = ""
    date: datetime.date | None = None


class Approval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers for bands, thresholds and floor that differ from the defaults (R-B08).

    `approved_by`: who. `date`: since when.
    """

    approved_by: str
    date: datetime.date


DuringMode = Literal["off", "closed-case", "live"]


class DeviceCleared(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By whom this deployment is cleared as a medical device, which a live course needs in production.

    `authority`: who cleared it. `number`: under which number. `approved_by`: who answers for it at this hospital.
    """

    authority: str
    number: str
    approved_by: str


class DuringSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The FHIR server that tells of operations by Subscriptions, or is asked by search (docs/during.md).

    `base_url`: of its FHIR API, at or below one of `fhir_base_urls`. `subscriptions`: ids of topic-based Subscriptions
    at it; what speaks of another one is refused. `rest_hook`: criteria-based ones (R4) send here too. `header`: where
    the server shows its secret. `header_variable`: the environment variable that holds the secret, or with _FILE
    behind it names its file; none: it signs as a client does. `token_variable`: the same of the bearer token with which
    the server is asked. `searches`: what is asked where something was missed; `{patient}` and `{encounter}` stand for
    those of each open case; none: the Observations of their patients and the times of their encounters. `heartbeat_s`:
    how often a Subscription says that it is there; 0: never.
    """

    base_url: str
    subscriptions: tuple[str, ...] = ()
    rest_hook: bool = False
    header: str = "Authorization"
    header_variable: str | None = None
    token_variable: str | None = None
    searches: tuple[str, ...] = ()
    heartbeat_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class DuringPoll(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That the server is asked for what changed, time and again.

    `every_s`: how often. `open_hours`: a case of which nothing came for so long is not asked for any more.
    """

    every_s: Annotated[float, msgspec.Meta(ge=1)] = 30.0
    open_hours: Annotated[float, msgspec.Meta(gt=0)] = 24.0


class During(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is read of an operation while and after it is done (docs/during.md); nothing unless the file says so.

    `mode`: off; closed-case (the summary, from the recorded end on); live (the course as it runs). `device_cleared`:
    the clearance without which `live` is refused in production. `most_cases`: how many cases are kept at once.
    `most_entries`, `most_bytes`: how many versions of Observations one case may hold, and their size. `keep_days`:
    until a case is deleted, from the last that came of it on; never longer than an evaluation. `source`: the server
    that tells of them by itself. `poll`: it is asked time and again. `clock_offsets`: by device, as Observations name
    it, else by their source, how many seconds its clock is ahead of that of the hospital; below 0 where it is behind.
    """

    mode: DuringMode = "off"
    device_cleared: DeviceCleared | None = None
    most_cases: Annotated[int, msgspec.Meta(ge=1)] = 5_000
    most_entries: Annotated[int, msgspec.Meta(ge=1)] = 200_000
    most_bytes: Annotated[int, msgspec.Meta(ge=1)] = 64 * 1024 * 1024
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=2192)] = 365
    source: DuringSource | None = None
    poll: DuringPoll | None = None
    clock_offsets: dict[str, float] = msgspec.field(default_factory=dict)


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the record is kept (R-E13).

    `evaluation_days`: until an evaluation is deleted. `comment_days`: until a clinician's free text is redacted.
    """

    evaluation_days: int = 2192
    comment_days: int = 90


class Learning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether models may be learned from this hospital's operations, and the silent hold-out (R-F07, R-F09).

    `permitted`: its operations may be exported to be learned from. `agreement`: under which agreement or consent.
    `silent_share`: of so large a share of the patients (0 to 0.5), by a stable hash, nothing is shown even where cards
    are, so that what comes of them is not changed by a figure; the record marks them. `protocol`: the study or quality
    note that says why that is right. `approved_by`: the people who answer for the hold-out, two in production.
    """

    permitted: bool = False
    agreement: str = ""
    silent_share: float = 0.0
    protocol: str = ""
    approved_by: tuple[str, ...] = ()


class SmartApp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The risk profile as this EHR registered it: a public client of SMART App Launch 2, with PKCE.

    `client_id`: as registered.
    `authorization_url`: the URL below which authorize and token endpoints lie, where that is not a FHIR base URL.
    `frame_ancestors`: origins that may show the profile inside their own page; none: it opens by itself only.
    """

    client_id: str = "surgical-risk"
    authorization_url: str | None = None
    frame_ancestors: tuple[str, ...] = ()


class Terminology(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A terminology server whose expansions are added to shipped value sets, asked once at every start.

    `base_url`: of its FHIR API. `value_sets`: our id → the canonical URL under which that server holds it; `reviewed`:
    codes of no idea. `systems`: only the codes of these code systems are taken; none: all. `replaces`: they stand in
    the place of the shipped codes (DEC-41). `on_failure`: `stop` the start, or keep what is shipped and say so.
    `token_variable`: the environment variable that holds a bearer token, or with _FILE behind it names its file.
    `deadline_s`: for all sets together.
    """

    base_url: str
    value_sets: dict[str, str]
    systems: tuple[str, ...] = ()
    replaces: bool = False
    on_failure: Literal["stop", "keep-shipped"] = "stop"
    token_variable: str | None = None
    deadline_s: float = 10.0


class UnreadApproval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which mapping report two people saw before they let entries that are not understood count as absent (DEC-37).

    `mapping_report`: its name. `approved_by`: two people. `date`: when.
    """

    mapping_report: str
    approved_by: tuple[str, ...]
    date: datetime.date
