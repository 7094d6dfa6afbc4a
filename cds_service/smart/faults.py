"""Why a launch ends: each cause has a word of its own, for the log and the page, and a sentence on what to do."""

from __future__ import annotations

_AGAIN = "Please try again."
_FROM_CARD = "Please open the profile from the card again."
_NOT_CONFIRMED = f"The EHR did not confirm the sign-in. {_FROM_CARD}"

# What a rule or a setting of ours, the person or the browser ends.
REFUSED = {
    "not-listed": "This hospital has not listed the FHIR server that asked for the launch.",
    "egress-rule": "The EHR names a sign-in server that this hospital has not listed, or its address is not allowed:"
    " see fhir_base_urls, smart.authorization_url and private_networks in the tenant file.",
    "not-smart": "The EHR does not tell where to sign in (SMART configuration).",
    "no-pkce": "The EHR does not offer PKCE with S256, which SMART App Launch 2 requires.",
    "state-expired": "This sign-in was not begun here, or it is over. Please open the card again.",
    "another-issuer": _NOT_CONFIRMED,
    "ehr-refused": "The EHR did not allow the profile to open.",
    "no-code": f"The EHR came back without a code and without a reason. {_FROM_CARD}",
    "code-refused": _NOT_CONFIRMED,
    "no-token": f"The EHR signed in and gave no token. {_FROM_CARD}",
    "token-without-patient": "The EHR did not say which patient is open.",
    "identity-unproven": _NOT_CONFIRMED,
}
# What is a fault of the EHR's own server (DEC-45); by step, for each has an address of its own.
AT_FAULT = {
    "discovery-unreachable": f"The EHR's sign-in service did not answer (SMART configuration). {_AGAIN}",
    "discovery-status": "The EHR's sign-in service did not answer as it should: it gave no SMART configuration.",
    "discovery-unreadable": "The EHR's SMART configuration is not JSON.",
    "token-unreachable": f"The EHR's sign-in service did not answer (token). {_AGAIN}",
    "token-unreadable": f"The EHR's sign-in service did not answer as it should (token is not JSON). {_AGAIN}",
    "keys-unreachable": f"The EHR's sign-in service did not answer (keys). {_AGAIN}",
    "keys-status": f"The EHR's sign-in service did not answer as it should (keys). {_AGAIN}",
    "keys-unreadable": f"The EHR's sign-in service did not answer as it should (keys are not JSON). {_AGAIN}",
}


class LaunchError(Exception):
    """The launch cannot go on; the message tells the person what to do, and holds nothing of a patient.

    `why`: one word for the log and the help desk; its sentence follows from it unless one is given.
    """

    def __init__(self, why: str, text: str = "") -> None:
        super().__init__(text or REFUSED.get(why) or AT_FAULT[why])
        self.why = why


class EhrError(LaunchError):
    """The launch cannot go on because of a fault of the EHR's own server (DEC-45)."""
