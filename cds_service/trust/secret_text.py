"""A secret that stands in a file: `NAME_FILE` names the file whose text is the value of the variable `NAME`.

A mounted secret (Kubernetes, Compose, systemd's LoadCredential) is seen by no `docker inspect`, no child's environment
and no crash report.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

SUFFIX = "_FILE"
_MOST_BYTES = 64 * 1024


def from_file(variable: str, environment: Mapping[str, str] | None = None) -> str | None:
    """The secret in the file that `variable` with _FILE names; None where nothing is named.

    Raises ValueError, which never holds the text, where the file cannot be read, is empty, or both are set.
    """
    set_now = {name.upper(): value for name, value in (os.environ if environment is None else environment).items()}
    if not (named := set_now.get(f"{variable}{SUFFIX}")):
        return None
    if variable in set_now:
        raise ValueError(f"{variable} and {variable}{SUFFIX} are both set: which of them holds?")
    try:
        with Path(named).open("rb") as file:
            text = file.read(_MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{variable}{SUFFIX}: {named} cannot be read ({type(error).__name__})") from None
    if not (secret := text.strip()):
        raise ValueError(f"{variable}{SUFFIX}: {named} is empty")
    return secret
