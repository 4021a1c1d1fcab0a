"""Events to JSON documents: what is skipped, what ends the stream, what is an error."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

from ..errors.facts import error_in
from ..errors.scrub import masked_document
from ..errors.tree import StreamDecodeError, StreamProviderError
from ..errors.verdict import stream_error
from ..ground import Secrets, elide, mask
from ..log import logger
from ..models.codec import loads
from .sse import ServerEvent

__all__ = ["DONE", "document_of", "no_completion", "provider_error", "says_error"]

Done: TypeAlias = Literal["[DONE]"]
#: What `document_of` returns for the end marker of OpenAI's dialect.
DONE: Final[Done] = "[DONE]"
_DONE_PAYLOAD: Final = b"[DONE]"


def document_of(wire: bytes | ServerEvent, secrets: Secrets) -> dict[str, Any] | Done | None:
    """Read the payload of one event.

    Args:
        wire: The payload of a plain event, or an event with its fields.
        secrets: What must not be shown in an error.

    Returns:
        The JSON object; `DONE` for the end marker; None for what is skipped (with a log record):
        no data, data that begins with ``:`` (a proxy that wrapped a comment), a ping, and JSON
        that is not an object.

    Raises:
        StreamProviderError: The event is named "error".
        StreamDecodeError: The data is not JSON.
    """
    if wire == _DONE_PAYLOAD:
        return DONE
    if isinstance(wire, bytes):
        data: bytes | str = wire
    else:
        data = wire.data
        if wire.event == "error":
            raise stream_error(_parsed_or_text(data), secrets)
    try:
        document = loads(data)
    except ValueError as error:
        return _not_json(data, error, secrets)
    if not isinstance(document, dict):
        shown = masked_document(document, secrets)
        logger.debug("skipped an event whose JSON is not an object: %.80r", shown)
        return None
    if document.get("type") == "ping" and "choices" not in document:
        logger.debug("skipped a ping")
        return None
    return document


def says_error(payload: bytes | str) -> bool:
    """Return whether a payload may report an error; a cheap look before a thorough one."""
    return (b'"error"' in payload) if isinstance(payload, bytes) else ('"error"' in payload)


def provider_error(document: dict[str, Any], secrets: Secrets) -> StreamProviderError | None:
    """Return the error that a document reports, or None.

    An error is an error object anywhere in it, or a choice whose finish reason is "error".
    """
    error = error_in(document)
    if error is None and _has_error_reason(document):
        error = "the finish reason is “error”, and nothing more is said"
    return None if error is None else stream_error(error, secrets)


def no_completion(payload: bytes | str, secrets: Secrets) -> StreamDecodeError:
    """Return the error for a JSON answer, in the place of a stream, that is no completion."""
    text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload
    return StreamDecodeError(
        "A stream was asked for, and JSON came that is neither a completion nor an error: "
        f"{elide(mask(text, secrets), 300)!r}. Check base_url: it should be the address of the API."
    )


def _has_error_reason(document: dict[str, Any]) -> bool:
    choices = document.get("choices")
    return isinstance(choices, list) and any(
        isinstance(choice, dict) and choice.get("finish_reason") == "error" for choice in choices
    )


def _not_json(data: bytes | str, error: ValueError, secrets: Secrets) -> Done | None:
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    text = text.strip()
    if text == DONE:
        return DONE
    if not text or text.startswith(":"):
        logger.debug("skipped an event without data: %.80r", mask(text, secrets))
        return None
    raise StreamDecodeError(
        f"An event of the stream is not JSON ({error}): {elide(mask(text, secrets), 300)!r}. "
        "The server, or a proxy before it, does not speak the OpenAI dialect here.",
    ) from error


def _parsed_or_text(data: str) -> object:
    try:
        return loads(data)
    except ValueError:
        return data
