"""Everything that a caller can be told has gone wrong; error_responses.py makes it HTTP.

ServiceError
├── BadRequest 400          not JSON, an envelope member missing or of the wrong type, a hook not offered
├── Unauthorized 401        says nothing more (R-G23)
├── Forbidden 403           a known client that may not use this service
├── UnknownService 404
├── DataUnobtainable 412    required data neither sent nor to be had; names the prefetch key
├── TooSlow 408             the body did not arrive in time
├── TooLarge 413
├── NotJson 415
├── InvalidContext 422      well-formed, but the hook's context is invalid or contradicts itself
├── TooManyRequests 429
├── NotReady 503
└── TooMuchComputing 503    an answer that was stopped (answering/computing.py)
Anything else is a 500 with an id to quote: never an empty card list, which would look like low risk.
"""

from __future__ import annotations


class ServiceError(Exception):
    """An answer other than 200. `text` and `diagnostics` never hold a patient's data."""

    status = 500
    code = "exception"

    def __init__(self, text: str, *, diagnostics: str | None = None, retry_after_s: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.diagnostics = diagnostics
        self.retry_after_s = retry_after_s

    @property
    def reason(self) -> str:
        """Why, as the record keeps it."""
        return self.code


class BadRequest(ServiceError):
    """The body is not a CDS Hooks request."""

    status, code = 400, "structure"


class Unauthorized(ServiceError):
    """The caller did not prove who it is; the body never says why."""

    status, code = 401, "login"


class Forbidden(ServiceError):
    """The caller is known and may not use this service."""

    status, code = 403, "forbidden"


class UnknownService(ServiceError):
    """No such service."""

    status, code = 404, "not-found"


class DataUnobtainable(ServiceError):
    """Data without which nothing can be said were neither sent nor to be had."""

    status, code = 412, "required"

    @property
    def reason(self) -> str:
        """Running out of time and data that cannot be had are told apart (DEC-02, R-D10)."""
        return "deadline" if self.diagnostics == "deadline" else "data-unobtainable"


class TooSlow(ServiceError):
    """The body did not arrive in time."""

    status, code = 408, "timeout"


class TooLarge(ServiceError):
    """The body is larger than the limit."""

    status, code = 413, "too-long"


class NotJson(ServiceError):
    """The body is not declared as JSON."""

    status, code = 415, "not-supported"


class InvalidContext(ServiceError):
    """The hook's context is invalid, or its parts contradict each other."""

    status, code = 422, "invalid"


class TooManyRequests(ServiceError):
    """The client sends faster than its limit."""

    status, code = 429, "throttled"


class NotReady(ServiceError):
    """The service cannot answer now."""

    status, code = 503, "transient"


class TooMuchComputing(ServiceError):
    """One answer took more processor time than it may; others are not kept waiting for it."""

    status, code = 503, "transient"

    @property
    def reason(self) -> str:
        """A fault of ours, told apart from a database that is away."""
        return "computing"
