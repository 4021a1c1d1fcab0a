"""What an error may not carry: the frames it came through, and secrets that others put into it.

The frames of a traceback hold local variables, such as the headers of a request and the bytes of
an answer, and tools that report errors show them. Exceptions of libraries hold what they met.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final, TypeVar, cast

import attrs

from ..ground import MASK, EvoClientError, Secrets, mask
from ..models.base import Record
from ..wire import Headers, Response
from .tree import APIError

__all__ = ["masked_document", "masked_headers", "scrubbed", "without_frames"]

#: The members of a token endpoint's answer that are credentials, also where it fails (RFC 6749).
_TOKENS: Final = frozenset({"access_token", "id_token", "refresh_token"})

_Error = TypeVar("_Error", bound=BaseException)
_RecordT = TypeVar("_RecordT", bound=Record)


def without_frames(error: _Error) -> _Error:
    """Return the error with its traceback cut, and those of the exceptions behind it.

    What stands behind an error of ours that is no `APIError` is the user's own: a tool, a plugin.
    It keeps its traceback. ``EVOCLIENT_TRACE=1`` keeps them all.
    """
    if os.environ.get("EVOCLIENT_TRACE") != "1":
        is_alone = isinstance(error, EvoClientError) and not isinstance(error, APIError)
        for link in (error,) if is_alone else _chain(error):
            link.__traceback__ = None
    return error


def scrubbed(error: _Error, secrets: Secrets) -> _Error:
    """Return the error with secrets masked in it and in the exceptions behind it.

    Args:
        error: An error that may quote what a server sent.
        secrets: What must not be shown.
    """
    for link in _chain(error):
        link.args = _masked(link.args, secrets)
        if isinstance(link, UnicodeDecodeError):
            link.object = _masked(link.object, secrets)
        state = vars(link)
        for name, value in state.items():
            state[name] = _masked(value, secrets)
    return error


def masked_document(document: object, secrets: Secrets) -> object:
    """Return a JSON document with each secret in it masked, and tokens that nobody knew yet."""
    if isinstance(document, str):
        return mask(document, secrets)
    if isinstance(document, dict):
        return {
            mask(str(key), secrets): MASK
            if key in _TOKENS and isinstance(value, str)
            else masked_document(value, secrets)
            for key, value in document.items()
        }
    if isinstance(document, list):
        return [masked_document(value, secrets) for value in document]
    return document


def masked_headers(headers: Headers, secrets: Secrets) -> Headers:
    """Return headers with each secret in them masked; the same ones where there is none."""
    text = "\n".join(f"{name}\n{value}" for name, value in headers.pairs)
    if not any(secret in text for secret in secrets):
        return headers
    return Headers((mask(name, secrets), mask(value, secrets)) for name, value in headers.pairs)


def _masked(value: Any, secrets: Secrets) -> Any:
    """Return a part of an exception without secrets; what is of no known type stays as it is."""
    match value:
        case str():
            # Not a subclass, whose type may carry a meaning, unless it has to be masked.
            found = mask(value, secrets)
            return value if found == value else found
        case bytes():
            return _masked_bytes(value, secrets)
        case list() | dict():
            return masked_document(value, secrets)
        case tuple() if type(value) is tuple:
            return tuple(_masked(part, secrets) for part in value)
        case Headers():
            return masked_headers(value, secrets)
        case Response():
            return attrs.evolve(
                value,
                headers=masked_headers(value.headers, secrets),
                content=_masked_bytes(value.content, secrets),
            )
        case Record():
            return _masked_record(value, secrets)
        case _:
            return value


def _masked_bytes(value: bytes, secrets: Secrets) -> bytes:
    for secret in secrets:
        value = value.replace(secret.encode(), b"***")
    return value


def _masked_record(value: _RecordT, secrets: Secrets) -> _RecordT:
    """Return a record without secrets, the same one where there is none."""
    raw = value.to_dict()
    masked = masked_document(raw, secrets)
    if masked == raw:
        return value
    made = type(value).from_dict(cast("dict[str, Any]", masked))
    response = getattr(value, "response", None)
    if isinstance(response, Response):
        setattr(made, "response", response)  # noqa: B010 - not every record has one
    return made


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, those behind and in it, and the earlier failures of the same call."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        link = waiting.pop()
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [link.__cause__, link.__context__, *link.args, getattr(link, "reason", None)]
        if isinstance(link, EvoClientError):
            waiting += link.attempts
