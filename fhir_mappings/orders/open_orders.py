"""What an open order is, once for all who ask: a draft of the session, an order of the chart, a prescription."""

from __future__ import annotations

# The order was taken back, or came to nothing. Sources: https://hl7.org/fhir/R4/valueset-request-status.html; for
# prescriptions (cancelled, stopped) R4 medicationrequest-status, for appointments (noshow) R4 appointmentstatus, for
# procedures (not-done) R4 event-status; https://hl7.org/fhir/STU3/valueset-request-status.html (cancelled).
_WITHDRAWN = frozenset({"revoked", "entered-in-error", "cancelled", "not-done", "stopped", "noshow"})
# It was carried out: request-status, and an appointment's `fulfilled`.
_DONE = frozenset({"completed", "fulfilled"})
# A component of a RequestGroup, no request of its own. https://hl7.org/fhir/R4/valueset-request-intent.html
_NO_REQUEST = "option"
# An order that nobody carried out for a year is forgotten, not pending. A decision of this product.
FORGOTTEN_DAYS = 365


def is_withdrawn(status: object, *, intent: object = None, forbidden: object = False) -> bool:
    """Whether an order asks for nothing and never will: taken back, forbidden, or the part of another."""
    return forbidden is True or intent == _NO_REQUEST or status in _WITHDRAWN


def is_closed(status: object, *, intent: object = None, forbidden: object = False) -> bool:
    """Whether an order asks for nothing more: withdrawn, or carried out."""
    return is_withdrawn(status, intent=intent, forbidden=forbidden) or status in _DONE


def is_open(status: object, *, intent: object = None, forbidden: object = False) -> bool:
    """Whether an order may still be carried out: draft, active, on hold, and whatever does not say that it is over.

    An order whose status is missing or `unknown` is open: that it is over would be a claim that nobody made.
    """
    return not is_closed(status, intent=intent, forbidden=forbidden)
