"""Bulk Data Access: ask a FHIR server for everything, wait until it is ready, and take the files into a folder.

https://hl7.org/fhir/uv/bulkdata/export.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from cds_service.patient_data.fhir_client import CHUNK_BYTES, Access
from cds_service.patient_data.site_export import CALL_S, ExportError
from cds_service.trust.egress import Session, within

TYPES = (
    "Patient,Condition,Observation,MedicationRequest,MedicationStatement,Medication,Procedure,DiagnosticReport,"
    "Encounter,ServiceRequest,Appointment"
)
WAIT_AT_MOST_S = 4 * 3600.0
_LONGEST_PAUSE_S = 60.0
_UNREADABLE = (OSError, msgspec.MsgspecError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError)


def is_offered(access: Access) -> bool:
    """Whether the server's CapabilityStatement names `$export` for the whole system."""
    try:
        with _get(access, f"{access.base}/metadata") as answer:
            rest = msgspec.json.decode(answer.content)["rest"]
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
        try:
            manifest = _ready(access, status_url, told, sleep, time.monotonic() + wait_at_most_s)
            files = [(str(one["type"]), str(one["url"])) for one in manifest["output"]]
            for number, (kind, url) in enumerate(files):
                told(f"{kind} ({number + 1} of {len(files)})")
                _take(access, url, folder / f"{number:05}-{kind if kind.isalpha() else 'unknown'}.ndjson")
        finally:
            access.session.delete(status_url, headers=_headers(access), timeout=CALL_S).close()
    except _UNREADABLE as error:
        raise ExportError(f"the export broke off ({type(error).__name__})") from error
    return len(files)


def _begun(access: Access) -> str:
    url = f"{access.base}/$export?_type={TYPES}"
    with _get(access, url, Prefer="respond-async") as answer:
        if answer.status_code != 202:
            raise ExportError(f"the server answered {answer.status_code} to $export")
        return _own(access, str(answer.headers["Content-Location"]), "its status page")


def _ready(
    access: Access, url: str, told: Callable[[str], None], sleep: Callable[[float], None], until: float
) -> Mapping[str, Any]:
    while time.monotonic() < until:
        with _get(access, url) as answer:
            if answer.status_code == 200:
                manifest: Mapping[str, Any] = msgspec.json.decode(answer.content)
                return manifest
            if answer.status_code != 202:
                raise ExportError(f"the export failed: the server answered {answer.status_code}")
            told(answer.headers.get("X-Progress", "in progress")[:60])
            pause = answer.headers.get("Retry-After", "5")
        sleep(min(float(pause) if pause.isdecimal() else 5.0, _LONGEST_PAUSE_S))
    raise ExportError("the export was not ready in time")


def _take(access: Access, url: str, path: Path) -> None:
    with _get(access, _own(access, url, "its files"), accept="application/fhir+ndjson") as answer:
        if answer.status_code != 200:
            raise ExportError(f"the server answered {answer.status_code} to a file of the export")
        with path.open("wb") as file:
            for chunk in answer.iter_content(CHUNK_BYTES):
                file.write(chunk)


def _own(access: Access, url: str, what: str) -> str:
    if not within(url, access.base):
        raise ExportError(f"the server keeps {what} elsewhere: download the export and give its folder instead")
    return url


def _headers(access: Access, accept: str = "application/fhir+json", **more: str) -> dict[str, str]:
    token = {"Authorization": f"Bearer {access.token.reveal()}"} if access.token else {}
    return {"Accept": accept, **token, **more}


def _get(access: Access, url: str, accept: str = "application/fhir+json", **more: str) -> Any:
    session: Session = access.session
    return session.get(
        url, headers=_headers(access, accept, **more), timeout=CALL_S, allow_redirects=False, stream=True
    )
