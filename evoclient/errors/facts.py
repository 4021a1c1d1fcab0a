"""What an error body says, in whichever dialect: OpenAI, OpenRouter, vLLM, llama.cpp, Ollama,
FastAPI, gateways, plain text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ..ground import elide

__all__ = ["Facts", "error_in", "facts_of"]

#: The most characters of a server's message that a message of ours quotes.
MOST_QUOTED: Final = 2048


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Facts:
    """An error as the server describes it, in one shape.

    Attributes:
        message: Its words, at most 2 KB.
        code: Its code as sent: a number, a string, or None.
        kinds: All words that name the kind of error (code, error_type, type …), in lower case,
            the one that tells most first.
        param: The parameter at fault, or None.
        metadata: OpenRouter's details, else empty.
        availability: OpenRouter's account of why no provider could serve, else empty.
    """

    message: str
    code: str | int | None = None
    kinds: tuple[str, ...] = ()
    param: str | None = None
    metadata: Mapping[str, Any] = attrs.field(factory=dict)
    availability: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def status(self) -> int | None:
        """The HTTP status that the error amounts to, where its code or kind tells; else None."""
        code = self.code
        # No status is longer, and Python refuses to read numbers of thousands of digits.
        if isinstance(code, str) and len(code) == 3 and code.isascii() and code.isdigit():
            code = int(code)
        if isinstance(code, int) and 400 <= code <= 599:
            return code
        return next((STATUS_OF_KIND[kind] for kind in self.kinds if kind in STATUS_OF_KIND), None)


#: What kinds of error amount to, where no number is sent (OpenAI, OpenRouter, Anthropic, vLLM).
STATUS_OF_KIND: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "context_length_exceeded": 400,
    "content_filter": 400,
    "content_policy_violation": 400,
    "invalid_prompt": 400,
    "invalid_request": 400,
    "max_tokens_exceeded": 400,
    "refusal": 400,
    "string_too_long": 400,
    "token_limit_exceeded": 400,
    "authentication_error": 401,
    "authentication": 401,
    "invalid_api_key": 401,
    "payment_required": 402,
    "insufficient_quota": 429,
    "permission_error": 403,
    "permission_denied": 403,
    "not_found_error": 404,
    "not_found": 404,
    "model_not_found": 404,
    "payload_too_large": 413,
    "unprocessable": 422,
    "timeout": 504,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "ratelimiterror": 429,
    "tokens": 429,
    "requests": 429,
    "api_error": 500,
    "server_error": 500,
    "server": 500,
    "internal_server_error": 500,
    "internalservererror": 500,
    "provider_unavailable": 502,
    "overloaded_error": 529,
    "provider_overloaded": 529,
    "service_unavailable": 503,
}


def error_in(document: object) -> object:
    """Return the error that a document of an answer or an event holds, or None.

    It is looked for at the top, and in the choices (OpenRouter, Groq). An empty or null error is
    none: servers send ``"error": null`` with good answers.
    """
    if not isinstance(document, Mapping):
        return None
    if error := document.get("error"):
        return error
    if document.get("object") == "error":
        return document
    choices = document.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, Mapping) and (error := choice.get("error")):
            return error
    groq = document.get("x_groq")
    return (groq.get("error") or None) if isinstance(groq, Mapping) else None


def facts_of(body: object) -> Facts:
    """Read an error body.

    Args:
        body: The error object or the whole document, parsed where it is JSON, else its text.

    Returns:
        The facts; the message is never empty.
    """
    error = body
    if isinstance(body, Mapping):
        error = error_in(body) or body.get("errors") or body
    if isinstance(error, list) and error:
        # Google sends a list of documents, others a list of errors.
        error = error_in(error[0]) or error[0]
    if isinstance(error, Mapping):
        return _facts_of_object(error)
    return Facts(message=_text(error))


def _facts_of_object(error: Mapping[str, Any]) -> Facts:
    metadata = _mapping(error.get("metadata"))
    availability = _mapping(error.get("availability"))
    code = error.get("code")
    if code is None:
        code = error.get("http_status") or error.get("status_code")
    kinds = (
        error.get("code"),
        availability.get("code"),
        error.get("error_type"),
        metadata.get("error_type"),
        error.get("type"),
    )
    param = error.get("param")
    return Facts(
        message=_message(error),
        code=code if isinstance(code, (str, int)) and not isinstance(code, bool) else None,
        kinds=tuple(kind.lower() for kind in kinds if isinstance(kind, str) and kind),
        param=param if isinstance(param, str) else None,
        metadata=metadata,
        availability=availability,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _message(error: Mapping[str, Any]) -> str:
    """Find the words: `detail` is FastAPI's, with a list of faults where validation failed."""
    for name in ("message", "msg", "detail", "error_description", "title", "reason"):
        value = error.get(name)
        if isinstance(value, str) and value.strip():
            return _text(value)
        if isinstance(value, Mapping) and value:
            return _message(value)
        if isinstance(value, list) and value:
            return elide("; ".join(_fault(fault) for fault in value), MOST_QUOTED)
    return _text(dict(error))


def _fault(fault: object) -> str:
    if not isinstance(fault, Mapping):
        return str(fault)
    place = fault.get("loc")
    where = ".".join(map(str, place)) if isinstance(place, list) else ""
    words = str(fault.get("msg") or fault.get("message") or dict(fault))
    return f"{where}: {words}" if where else words


def _text(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    if title := _title(text):
        text = f"an HTML page titled “{title}”"
    elif text.lstrip()[:1] == "<":
        text = "an HTML page"
    return elide(" ".join(text.split()), MOST_QUOTED) or "no message"


def _title(text: str) -> str:
    """Return the title of a web page; empty where there is none. Linear, unlike a pattern."""
    lowered = text.lower()
    start = lowered.find("<title")
    start = lowered.find(">", start) if start >= 0 else -1
    end = lowered.find("</title", start) if start >= 0 else -1
    return text[start + 1 : end].strip() if end >= 0 else ""
