"""Every knob of a deployment: name, unit, default and why; what differs by EHR stands in its tenant file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from cds_service.web.secret_files import SecretFiles


class Settings(BaseSettings):
    """Settings of one deployment, from the environment; an unreadable value stops the start."""

    model_config = SettingsConfigDict(env_prefix="CDS_", frozen=True, extra="forbid", populate_by_name=True)

    database_url: str = Field(
        default="sqlite:///surgical-risk.sqlite3",
        validation_alias="DATABASE_URL",
        description="Where the record is kept; PostgreSQL in production (postgresql+psycopg://…).",
    )
    tenants: Path | None = Field(
        default=None, description="Folder of tenant files, one YAML per EHR installation. None: demo mode only."
    )
    demo: bool = Field(default=False, description="Demo mode: an embedded FHIR store, no JWT, loopback only.")
    bind: str = Field(default="127.0.0.1:8000", description="HOST:PORT to listen on.")
    health_bind: str = Field(
        default="",
        description="HOST:PORT where only /livez, /readyz, /health and /metrics are answered, however many clients "
        "hold the other. By default none.",
    )
    public_url: str = Field(
        default="", description="As clients name the service in demo mode; a tenant file has its own."
    )
    models: Path | None = Field(
        default=None, description="Folder of the models and of registry.yaml. None: those of the package."
    )
    models_key: Path | None = Field(
        default=None,
        description="A public JWK: models are served only where this key signed their manifest (`models sign`).",
    )
    site_models: Path | None = Field(
        default=None, description="Folder of the models that this site added (`cds-service models add`). None: none."
    )
    class_b: bool = Field(
        default=False, description="Also serve models whose coefficients rest on one public source (trust class B)."
    )
    workers: int = Field(default=2, ge=1, le=64, description="Processes: one per core is enough.")
    threads: int = Field(default=8, ge=1, le=128, description="Threads per process: they wait for FHIR servers.")
    fetch_threads: int = Field(
        default=32, ge=5, le=256, description="FHIR searches under way at once, of each tenant in each process."
    )
    discovery_auth: Literal["open", "required"] = Field(
        default="open", description="Whether discovery needs a client's JWT too (DEC-05)."
    )
    session_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="Seals sign-ins to the risk profile; the same on every node. By default each machine draws one.",
    )
    session_key_other: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="Opens what another key sealed: while the session key is changed, the next one, then the last.",
    )
    state_directory: Path | None = Field(
        default=None, description="Shared by the workers of one start; by default in memory (docs/operations.md)."
    )
    security_contact: str = Field(
        default="",
        pattern=r"^((https://|mailto:|tel:)\S{1,500})?$",
        description="To whom a weakness is told first (https:, mailto: or tel:), at /.well-known/security.txt.",
    )
    drain_s: float = Field(
        default=5.0,
        ge=0,
        le=300,
        description="Seconds after SIGTERM in which `/readyz` is 503 and calls are still answered, before the stop.",
    )
    migrate_at_start: bool = Field(
        default=True,
        description="Bring the database to this version's schema at the start; off where `record migrate` is a job.",
    )
    record_grace_s: float = Field(
        default=60.0,
        ge=0,
        description="Seconds for which the record may be unwritable before this node gives no more answers (503).",
    )
    body_limit_bytes: int = Field(default=5 * 1024 * 1024, description="R-G09: 5 MiB; larger is 413.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 — no file but those that a variable names
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the caller says, then the environment, then the files that it names."""
        return init_settings, env_settings, SecretFiles(settings_cls)

    @field_validator("bind")
    @classmethod
    def _is_an_address(cls, text: str) -> str:
        return address(text)

    @field_validator("health_bind")
    @classmethod
    def _is_another_address(cls, text: str, told: ValidationInfo) -> str:
        if text and text == told.data.get("bind"):
            raise ValueError("the address that all others call is no second one")
        return text and address(text)


def address(text: str) -> str:
    """The text if it is HOST:PORT; ValueError where it is not."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or not int(port[:6]) <= 65_535:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return text
