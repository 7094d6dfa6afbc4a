"""Bulk Data Access: ask a FHIR server for everything, wait until it is ready, and take the files into a folder.

https://hl7.org/fhir/uv/bulkdata/export.html
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec

from cds_service.patient_data.fhir_client import MAX_ANSWER_BYTES, Access
from cds_service.patient_data.site_export import CALL_S, ExportError
from cds_service.trust.egress import within
from cds_service.trust.outbound import OutboundError, Reply

TYPES = (
    "Patient,Condition,Observation,MedicationRequest,MedicationStatement,Medication,Procedure,DiagnosticReport,"
    "Encounter,ServiceRequest,Appointment"
)
WAIT_AT_MOST_S = 4 * 3600.0
_MOST_FILE_BYTES = 1 << 40
_LONGEST_PAUSE_S = 60.0
_UNREADABLE = (OSError, msgspec.MsgspecError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError)


def is_offered(access: Access) -> bool:
    """Whether the server's CapabilityStatement names `$export` for the whole system."""
    try:
        rest = msgspec.json.decode(_get(access, f"{access.base}/metadata").body)["rest"]
        return any("export" in one.get("name", "") for each in rest for one in each.get("operation", ()))
    except _UNREADABLE:
        return False


def download(
    access: Access,
    folder: Path,
    *,
    told: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    wait_at_most_s: float = WAIT_AT_MOST_S,
) -> int:
    """The export's NDJSON files in `folder`, and how many they are; `told` hears what the server says meanwhile.

    Raises ExportError where the server refuses, fails, takes too long, or keeps the files on another origin: the
    token is sent nowhere else.
    """
    try:
        status_url = _begun(access)
        until = time.monotonic() + wait_at_most_s
        try:
            manifest = _ready(access, status_url, told, sleep, until)
            files = [(str(one["type"]), str(one["url"])) for one in manifest["output"]]
            for number, (kind, url) in enumerate(files):
                told(f"{kind} ({number + 1} of {len(files)})")
                _take(access, url, folder / f"{number:05}-{kind if kind.isalpha() else 'unknown'}.ndjson", until)
        finally:
            _let_go(access, status_url)
    except _UNREADABLE as error:
        raise ExportError(f"the export broke off: {_why(error)}") from error
    return len(files)


def _why(error: Exception) -> str:
    if isinstance(error, OutboundError):
        return f"the server is not heard to the end ({error.why})"
    if isinstance(error, OSError):
        return (error.strerror or "a file cannot be written").lower()
    return "the server's answer is not what FHIR Bulk Data asks for"


def _begun(access: Access) -> str:
    reply = _get(access, f"{access.base}/$export?_type={TYPES}", Prefer="respond-async")
    if reply.status != HTTPStatus.ACCEPTED:
        raise ExportError(f"the server answered {reply.status} to $export")
    return _own(access, reply.headers["content-location"], "its status page")


def _ready(
    access: Access, url: str, told: Callable[[str], None], sleep: Callable[[float], None], until: float
) -> Mapping[str, Any]:
    while time.monotonic() < until:
        reply = _get(access, url)
        if reply.status == HTTPStatus.OK:
            manifest: Mapping[str, Any] = msgspec.json.decode(reply.body)
            return manifest
        if reply.status != HTTPStatus.ACCEPTED:
            raise ExportError(f"the export failed: the server answered {reply.status}")
        told(reply.headers.get("x-progress", "in progress")[:60])
        pause = reply.headers.get("retry-after", "5")
        sleep(min(float(pause) if re.fullmatch(r"[0-9]{1,6}", pause) else 5.0, _LONGEST_PAUSE_S))
    raise ExportError("the export was not ready in time")


def _take(access: Access, url: str, path: Path, until: float) -> None:
    """One file, for nobody else to read; as long as all of it is here before the whole export's time is over."""
    url, headers = _own(access, url, "its files"), _headers(access, "application/fhir+ndjson")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        reply = access.door.take(url, file, until=until, at_most_bytes=_MOST_FILE_BYTES, headers=headers)
    if reply.status != HTTPStatus.OK:
        raise ExportError(f"the server answered {reply.status} to a file of the export")


def _let_go(access: Access, status_url: str) -> None:
    """Tell the server that nobody comes back; one that does not listen has cost nothing."""
    until = time.monotonic() + CALL_S
    with contextlib.suppress(OutboundError):
        access.door.delete(status_url, until=until, at_most_bytes=MAX_ANSWER_BYTES, headers=_headers(access))


def _own(access: Access, url: str, what: str) -> str:
    if not within(url, access.base):
        raise ExportError(f"the server keeps {what} elsewhere: download the export and give its folder instead")
    return url


def _headers(access: Access, accept: str = "application/fhir+json", **more: str) -> dict[str, str]:
    token = {"Authorization": f"Bearer {access.token.reveal()}"} if access.token else {}
    return {"Accept": accept, **token, **more}


def _get(access: Access, url: str, **more: str) -> Reply:
    until = time.monotonic() + CALL_S
    return access.door.get(url, until=until, at_most_bytes=MAX_ANSWER_BYTES, headers=_headers(access, **more))
