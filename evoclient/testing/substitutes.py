"""Replies played instead of the ordinary one: an error status, a login page, a redirect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from .dialects import Dialect
from .script import dump

__all__ = ["REDIRECTED", "SUBSTITUTES", "Substitute"]

# In the query of a followed redirect, so that a play asked for by header does not go round forever.
REDIRECTED = "redirected"

_LOGIN = """<!DOCTYPE html>
<html><head><title>Sign in</title></head><body><h1>Please sign in to continue</h1></body></html>
"""


@dataclass(frozen=True)
class Substitute:
    """A whole reply."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def status(
    path: str,
    dialect: Dialect,
    *,
    code: int = 500,
    message: str | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    retry_after: float | None = None,
) -> Substitute:
    """Answer with a status; the body is text, or JSON, or an error in the form of the dialect."""
    if body is None:
        body = dialect.error(code, message or f"{_phrase(code)} (played for {path})")
    sent = {name: str(value) for name, value in (headers or {}).items()}
    if retry_after is not None:
        sent["Retry-After"] = f"{retry_after:g}"
    if isinstance(body, str):
        return Substitute(code, body.encode(), "text/plain", sent)
    return Substitute(code, dump(body).encode(), headers=sent)


def html(_path: str, _dialect: Dialect, *, code: int = 200) -> Substitute:
    """Answer with a page for people, as a captive portal or a proxy does."""
    return Substitute(code, _LOGIN.encode(), "text/html")


def json_error(
    _path: str, _dialect: Dialect, *, code: int = 429, message: str = "Rate limit exceeded"
) -> Substitute:
    """Answer 200 with nothing but an error in the body."""
    error = {"error": {"code": code, "message": message}, "user_id": "user_demo"}
    return Substitute(200, dump(error).encode())


def redirect(path: str, _dialect: Dialect, *, to: str | None = None, code: int = 307) -> Substitute:
    """Send the client elsewhere; without an address, to the same path again."""
    return Substitute(code, b"", headers={"Location": to or f"{path}?{REDIRECTED}=1"})


def _phrase(code: int) -> str:
    try:
        return HTTPStatus(code).phrase
    except ValueError:  # 529 and its like are in use without being registered
        return f"Status {code}"


SUBSTITUTES: dict[str, Callable[..., Substitute]] = {
    "html": html,
    "json_error": json_error,
    "redirect": redirect,
    "status": status,
}
