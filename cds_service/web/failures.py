"""Failures in the log: which error at which line of code, or why there was nothing to answer with, in our words."""

from __future__ import annotations

from cds_service.operations import logs
from cds_service.records import reasons
from cds_service.records.database import DatabaseError
from cds_service.trust.errors import ServiceError

_DRIVERS = ("sqlalchemy", "sqlite3", "psycopg")


def report(incident: str, error: BaseException) -> None:
    """Log a failure that nobody expected."""
    logs.warn("incident", incident=incident, error=type(error).__name__, at=logs.where(error))


def tell(error: ServiceError) -> None:
    """Log why a 5xx was answered."""
    logs.warn("refused", status=error.status, cause=logs.OwnWords(cause(error)))


def cause(error: Exception) -> str:
    """What led to an error, the first cause last: our own words, and of a driver's error its reason in ours."""
    told: list[str] = []
    at: BaseException | None = error
    while isinstance(at, Exception):
        told += _words(at)
        at = at.__cause__
    return ": ".join(dict.fromkeys(told))


def is_of_the_database(error: Exception) -> bool:
    """Whether it says that the database cannot be used now."""
    return isinstance(error, DatabaseError) or type(error).__module__.partition(".")[0] in _DRIVERS


def _words(error: Exception) -> list[str]:
    if isinstance(error, ServiceError):
        return [error.text.rstrip(".")]
    if isinstance(error, DatabaseError):
        return [str(error)]
    if is_of_the_database(error):
        return [reasons.reason(error)]
    return [type(error).__name__]
