"""`cds-service token`: a key and signed JWTs to try a tenant with that is not in production."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.commands import output

if TYPE_CHECKING:
    from cds_service.ehr.client_token import Signer
    from cds_service.tenants.tenant import Client, Tenant

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_REFUSED = "is in production; there the EHR signs, with a key that nobody else has"


@click.command("token", cls=output.Command)
@click.option("--tenant", "tenant_file", type=_FILE, help="File of the tenant: says issuer and audience.")
@click.option("--issuer", default=None, metavar="URL", help="The `iss`; with --tenant, which of its clients signs.")
@click.option(
    "--audience", default=None, metavar="URL", help="The `aud`: the URL that is called (default: by --tenant)."
)
@click.option(
    "--tenant-claim", default=None, metavar="NAME", help="The `tenant` (default: the first that the file lists)."
)
@click.option("--key", "key_file", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Private JWK.")
@click.option("--new-key", "is_new", is_flag=True, help="Make the key and print its public JWKS for the tenant's file.")
@click.option(
    "--algorithm", type=click.Choice(["ES384", "RS384"]), default="ES384", show_default=True, help="Of a new key."
)
@click.option(
    "--tenants", "folder", envvar="CDS_TENANTS", type=click.Path(path_type=Path), help="Folder of tenant files."
)
def token(
    tenant_file: Path | None,
    *,
    issuer: str | None,
    audience: str | None,
    tenant_claim: str | None,
    key_file: Path,
    is_new: bool,
    algorithm: str,
    folder: Path | None,
) -> None:
    """Sign a client JWT of CDS Hooks for tests: five minutes, good for one call, of ES384 or RS384 by its key.

    Refused for a tenant in production: that of --tenant, and any of --tenants with the same issuer or address. The
    default audience is the service's own URL; name another for feedback or discovery.
    """
    from cds_service.ehr import client_token  # noqa: PLC0415 — the JOSE library is only needed here

    if is_new:
        if tenant_file or issuer or audience or tenant_claim:
            raise click.UsageError("--new-key makes a key only; ask for the token once its JWKS stands in the file")
        keys = {"keys": [client_token.new_key(key_file, "RS384" if algorithm == "RS384" else "ES384").public]}
        output.whole(json.dumps(keys), keys)
        click.echo(f"{key_file}: the private key, readable by you alone; for tests only", err=True)
        return
    signer = client_token.read_key(key_file)
    claims, most_s = _claims(tenant_file, issuer, audience, signer)
    claims |= {"tenant": tenant_claim} if tenant_claim else {}
    _refuse_production(folder, claims)
    lifetime_s = min(most_s, client_token.LIFETIME_S)
    made = client_token.signed(signer, claims, now=time.time(), lifetime_s=lifetime_s)
    output.say(made, token=made, seconds=lifetime_s, kid=signer.kid, algorithm=signer.algorithm, claims=claims)


def _claims(file: Path | None, issuer: str | None, audience: str | None, signer: Signer) -> tuple[dict[str, str], int]:
    """What the token says, and how long the client's tokens may last, in seconds."""
    if file is None:
        if not issuer or not audience:
            raise click.UsageError("name --tenant FILE, or --issuer and --audience")
        return {"iss": issuer, "aud": audience}, 3600
    from cds_service.hooks.services import SERVICE_ID  # noqa: PLC0415
    from cds_service.tenants.tenant_files import load_file  # noqa: PLC0415

    tenant = load_file(file)
    if tenant.is_production:
        raise click.ClickException(f"{file}: {tenant.id} {_REFUSED}")
    client = _client(tenant, issuer, file)
    _refuse_another_key(client, signer, file)
    told = {"iss": client.issuer, "aud": audience or tenant.service_url(SERVICE_ID)}
    told |= {"tenant": client.tenants[0]} if client.tenants else {}
    told |= {"sub": client.subjects[0]} if client.subjects else {}
    return told, client.max_lifetime_s


def _client(tenant: Tenant, issuer: str | None, file: Path) -> Client:
    found = [one for one in tenant.clients if issuer in (None, one.issuer)]
    if len(found) == 1:
        return found[0]
    named = ", ".join(one.issuer for one in tenant.clients) or "none"
    raise click.ClickException(f"{file}: --issuer has to name one of its clients: {named}")


def _refuse_another_key(client: Client, signer: Signer, file: Path) -> None:
    """A key that does not stand in the file would only ever be answered 401, which never says why."""
    if signer.algorithm not in client.algorithms:
        raise click.ClickException(f"{file}: {client.issuer} may not sign with {signer.algorithm}")
    if client.jwks is None:
        return
    same = [key for key in client.jwks.keys if key.get("kid") == signer.kid]
    if not any(all(signer.public.get(name) == key.get(name) for name in ("kty", "x", "y", "n")) for key in same):
        raise click.ClickException(f"{file}: the key {signer.kid} does not stand in the jwks of {client.issuer}")


def _refuse_production(folder: Path | None, claims: dict[str, str]) -> None:
    """Also where no tenant was named by its file: an issuer or an address of production is known from the folder."""
    if folder is None:
        return
    from cds_service.tenants.tenant_files import load  # noqa: PLC0415

    for tenant in load(folder):
        own = f"{tenant.public_url.rstrip('/')}/"
        is_its = claims["aud"].startswith(own) or any(one.issuer == claims["iss"] for one in tenant.clients)
        if tenant.is_production and is_its:
            raise click.ClickException(f"{folder}: {tenant.id} {_REFUSED}")
