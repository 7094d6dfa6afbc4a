"""Secrets that stand in files: `CDS_SESSION_KEY_FILE` names the file whose text is the value of `CDS_SESSION_KEY`.

A mounted secret (Kubernetes, Compose, systemd's LoadCredential) is seen by no `docker inspect`, no child's environment
and no crash report.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

SUFFIX = "_FILE"
# The settings that are secrets, with their variables. A URL of a database holds a password.
SECRETS = {
    "database_url": "DATABASE_URL",
    "session_key": "CDS_SESSION_KEY",
    "session_key_other": "CDS_SESSION_KEY_OTHER",
}
_MOST_BYTES = 64 * 1024


def variables() -> dict[str, str]:
    """Each variable that names a file, with what it does."""
    return {f"{name}{SUFFIX}": f"The file whose text is `{name}`." for name in SECRETS.values()}


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


class SecretFiles(PydanticBaseSettingsSource):
    """What the files say, as pydantic-settings asks for it."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """The value of one setting; None where no file is named for it."""
        variable = SECRETS.get(field_name)
        return (from_file(variable) if variable else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        """The values of all settings that stand in a file."""
        found = {name: from_file(variable) for name, variable in SECRETS.items()}
        return {name: value for name, value in found.items() if value is not None}
