"""The settings that may stand in files: `CDS_SESSION_KEY_FILE` names the file whose text is `CDS_SESSION_KEY`."""

from __future__ import annotations

from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from cds_service.trust.secret_text import SUFFIX, from_file

# The settings that are secrets, with their variables. A URL of a database holds a password.
SECRETS = {
    "database_url": "DATABASE_URL",
    "session_key": "CDS_SESSION_KEY",
    "session_key_other": "CDS_SESSION_KEY_OTHER",
}


def variables() -> dict[str, str]:
    """Each variable that names a file, with what it does."""
    return {f"{name}{SUFFIX}": f"The file whose text is `{name}`." for name in SECRETS.values()}


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
