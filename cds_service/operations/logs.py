"""Structured logs that cannot hold patient data: a field that is not on the list below is not written.

Values are checked too: our ids, counts, times, versions and words of a fixed form; anything else becomes "?".
Other libraries' messages are not ours to vouch for: of them only logger and level are written.
"""

from __future__ import annotations

import logging
import re
import sys
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
    }
)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@+-]{0,199}", re.ASCII)
# gunicorn's own messages about its start, workers and signals hold nothing of any request.
_VOUCHED_FOR = frozenset({"gunicorn.error"})

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


class _LibraryHandler(logging.Handler):
    """Says which library logged at which level; its message may hold a URL, and a URL a patient's id."""

    def emit(self, record: logging.LogRecord) -> None:
        told = record.getMessage() if record.name in _VOUCHED_FOR and record.exc_info is None else None
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        warn("library", logger=record.name, cause=told, error=error)
