"""A path before ours: where `public_url` has one, every link, form, cookie and redirect stands below it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def prefix_of(public_url: str) -> str:
    """The path that stands before ours, without a slash at its end; empty where there is none."""
    return urlsplit(public_url).path.rstrip("/")


def below(application: Application, public_urls: Collection[str]) -> Application:
    """The application, which takes its name from what a request was asked by, as WSGI has it (PEP 3333, SCRIPT_NAME).

    A proxy may pass the path on whole, or without the prefix where all tenants have the same one; with several, only
    a whole path says by which name the service was called.
    """
    prefixes = {prefix_of(url) for url in public_urls}
    named = sorted(prefixes - {""}, key=len, reverse=True)
    if not named:
        return application
    only = named[0] if len(prefixes) == 1 else ""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        name, path = _split(environ, named)
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = name or only, path
        return application(environ, start_response)

    return answer


def _split(environ: Mapping[str, Any], named: Iterable[str]) -> tuple[str, str]:
    path = str(environ.get("PATH_INFO", ""))
    for prefix in named:
        if path == prefix or path.startswith(f"{prefix}/"):
            return prefix, path.removeprefix(prefix) or "/"
    return "", path
