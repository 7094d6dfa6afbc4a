"""The environment variables of ours: one that nobody reads is a misspelling, and what it was to close stands open."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

from cds_service.web import secret_files
from cds_service.web.settings import Settings

_PREFIX = "CDS_"
# Read beside the settings: by `cds-service call` (ehr/caller.py).
OF_COMMANDS = {"CDS_CLIENT_JWT": "`call`: the client's JWT for the service."}


class EnvironmentVariableError(Exception):
    """Variables that nobody reads; the message names each with the nearest that is read."""


def names() -> tuple[str, ...]:
    """Every variable of ours, in the order of the settings."""
    fields = (name.upper() for name in Settings.model_fields if name != "database_url")
    files = (name for name in secret_files.variables() if name.startswith(_PREFIX))
    return (*(f"{_PREFIX}{name}" for name in fields), *files, *OF_COMMANDS)


def check(environment: Mapping[str, str], *, also: Collection[str] = ()) -> str:
    """How many are set, in words. Raises EnvironmentVariableError for a CDS_ variable that is none of ours.

    `also`: what tenants name as the place of a token. What Kubernetes sets for a Service called `cds` is nobody's.
    """
    known = names()
    ours = [name for name in environment if name.upper().startswith(_PREFIX)]
    unread = (name for name in ours if name.upper() not in known and name not in also)
    unknown = [name for name in unread if not _of_kubernetes(name, environment)]
    if unknown:
        raise EnvironmentVariableError("; ".join(_told(name, known) for name in sorted(unknown)))
    return f"{len(ours)} variables CDS_…, all known"


def _told(name: str, known: Collection[str]) -> str:
    nearest = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.0)
    return f"{name} is no setting: did you mean {nearest[0]}?"


def _of_kubernetes(name: str, environment: Mapping[str, str]) -> bool:
    """https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables"""
    if name.endswith(("_SERVICE_HOST", "_SERVICE_PORT")) or "_SERVICE_PORT_" in name:
        return True
    base, found, rest = name.partition("_PORT")
    return (
        bool(found)
        and environment.get(f"{base}_PORT", "").startswith(("tcp://", "udp://", "sctp://"))
        and (rest == "" or rest.startswith("_"))
    )
