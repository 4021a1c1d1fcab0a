"""A whole answer: its bytes as a document, and what of it tells whether it is a good one."""

from __future__ import annotations

from typing import Any

from .errors.facts import error_in
from .errors.scrub import scrubbed
from .errors.tree import ResponseDecodeError
from .errors.verdict import Asked
from .ground import elide, mask
from .models.codec import loads
from .streaming.collect import MOST_ERROR_BYTES
from .wire import Response

__all__ = ["document_of", "error_of", "tokens_used"]


def document_of(content: bytes, response: Response, asked: Asked) -> Any:
    """Parse a whole answer.

    Raises:
        ResponseDecodeError: It is empty, or not JSON.
    """
    text = content.strip()
    if not text:
        raise ResponseDecodeError(
            f"{asked.method} {response.url} answered {response.status_code} with an empty body.",
            response=response,
            provider=asked.provider,
            # Seen where a provider gives up under load: the next attempt mostly works.
            retryable=True,
        )
    try:
        return loads(text)
    except ValueError as error:
        scrubbed(error, asked.secrets)
        shown = mask(text.decode("utf-8", "replace"), asked.secrets)
        raise ResponseDecodeError(
            f"{asked.method} {response.url} answered {response.status_code}, but not with JSON "
            f"({error}): {elide(shown, 300)!r}. Check base_url: it should be the address of the "
            "API, and no login page or proxy should stand before it.",
            response=response,
            provider=asked.provider,
            body=elide(shown, MOST_ERROR_BYTES),
        ) from error


def tokens_used(document: Any) -> float | None:
    """Return how many tokens a document says were used, or None."""
    usage = document.get("usage") if isinstance(document, dict) else None
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, (int, float)) else None


def error_of(document: Any) -> Any:
    """Return what a document reports as an error, or None."""
    error = error_in(document)
    if error is None and _ends_in_error(document):
        return "the finish reason is “error”"
    return error


def _ends_in_error(document: Any) -> bool:
    choices = document.get("choices") if isinstance(document, dict) else None
    return isinstance(choices, list) and any(
        isinstance(choice, dict) and choice.get("finish_reason") == "error" for choice in choices
    )
