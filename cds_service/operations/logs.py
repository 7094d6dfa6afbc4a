"""Structured logs that cannot hold patient data: a field that is not on the list below is not written.

Values are checked too: our ids, counts, times, versions and words of a fixed form; anything else becomes "?".
Other libraries' messages are not ours to vouch for: of them only logger and level are written.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any, TextIO

import msgspec
import structlog

# Everything that may be logged, and nothing else (R-G08). None of these is taken from a request's body as it is.
FIELDS = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "tenant",
        "endpoint",
        "hook",
        "status",
        "decision",
        "reason",
        "mode",
        "procedure_group",
        "evaluation",
        "incident",
        "error",
        "at",
        "total_ms",
        "items",
        "rejected",
        "rows",
        "cause",
        "models",
        "version",
        "worker",
        "logger",
        "key",
        "told",
        "seconds",
    }
)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@+-]{0,199}", re.ASCII)
# gunicorn's own messages about its start, workers and signals hold nothing of any request; its others may quote one.
_GUNICORN = "gunicorn.error"
_VOUCHED_FOR = (
    "Starting gunicorn %s", "Listening at: %s", "Using worker: %s", "Booting worker with pid: %s", "Worker (pid:%s)",
    "Worker exiting (pid: %s)", "WORKER TIMEOUT (pid:%s)", "Handling signal: %s", "Unhandled signal: %s",
    "Ignoring unknown signal: %s", "Hang up: %s", "Shutting down: %s", "Connection in use: %s", "Invalid address: %s",
    "Can't connect to %s", "Parent changed, shutting down: %s", "Quick shutdown requested", "Reason: %s",
)  # fmt: skip

_MOST_OWN_WORDS = 2_000


class OwnWords(msgspec.Struct, frozen=True):
    """A sentence that we made at the start, of our files and a tenant's: the one value that may be prose."""

    text: str


def configure(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Write one JSON object per line to `stream` (standard error by default), from us and from every library."""
    out = stream or sys.stderr
    _bound.cache_clear()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_listed_fields,
            structlog.processors.JSONRenderer(serializer=_as_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_LibraryHandler()]
    root.setLevel(logging.WARNING)


def _as_json(entry: object, **_: object) -> str:
    return msgspec.json.encode(entry, order="sorted").decode()


def note(event: str, **fields: Any) -> None:
    """Log that something happened, as one of our own words, with listed fields."""
    _logger().info(event, **fields)


def warn(event: str, **fields: Any) -> None:
    """Log what somebody should look at."""
    _logger().warning(event, **fields)


def _logger() -> Any:
    return _bound() if structlog.is_configured() else structlog.get_logger()


@lru_cache(maxsize=1)
def _bound() -> Any:
    """One logger, bound once: an answer's line costs half."""
    return structlog.get_logger().bind()


def only_listed_fields(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list, and every value that is no number and no plain word."""
    for name in list(entry):
        if name not in FIELDS:
            del entry[name]
        elif isinstance(entry[name], OwnWords):
            entry[name] = entry[name].text[:_MOST_OWN_WORDS]
        elif not _may_be_written(entry[name]):
            entry[name] = "?"
    return entry


def _may_be_written(value: object) -> bool:
    if isinstance(value, str):
        return _WORD.fullmatch(value) is not None
    return value is None or isinstance(value, bool | int | float)


def where(error: BaseException) -> str:
    """The file and line of ours or of a library in which an error arose; never its message."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}"
        trace = trace.tb_next
    return re.sub(r"[<>]", "", place)


def catch_the_rest() -> None:
    """Errors of threads, of destructors and of the process itself as lines too: Python would print their messages."""

    def incident(kind: type[BaseException] | None, error: BaseException | None) -> None:
        warn("incident", error=kind.__name__ if kind else None, at=where(error) if error else None)

    threading.excepthook = lambda told: incident(told.exc_type, told.exc_value)
    sys.unraisablehook = lambda told: incident(told.exc_type, told.exc_value)
    sys.excepthook = lambda kind, error, _trace: incident(kind, error)
    logging.captureWarnings(True)


class _LibraryHandler(logging.Handler):
    """Says which library logged at which level; its message may hold a URL, and a URL a patient's id."""

    def emit(self, record: logging.LogRecord) -> None:
        kind, error = record.exc_info[:2] if record.exc_info else (None, None)
        vouched = record.name == _GUNICORN and kind is None and str(record.msg).startswith(_VOUCHED_FOR)
        _logger().log(
            record.levelno,
            "library",
            logger=record.name,
            told=OwnWords(record.getMessage()) if vouched else None,
            error=kind.__name__ if kind else None,
            at=where(error) if error else None if vouched else f"{record.filename}:{record.lineno} {record.funcName}",
        )
