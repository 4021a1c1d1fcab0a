"""The judge: status, headers and body to the right error."""

from __future__ import annotations

import http
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from ..ground import Secrets, elide, mask
from ..models.codec import dumps, loads
from ..wire import Headers, Response
from .facts import Facts, facts_of
from .hints import retry_advice, retry_delay
from .scrub import masked_document, masked_headers
from .tree import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ContentFilterError,
    ContextLengthExceededError,
    InsufficientCreditsError,
    InternalServerError,
    ModelNotFoundError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    StreamProviderError,
    UnprocessableEntityError,
)

__all__ = ["RETRIED_STATUSES", "Asked", "answer_error", "shown_url", "status_error", "stream_error"]

#: The statuses after which the same request may succeed (408, 409, 425 and 429: ask again;
#: 5xx: the server's side; 524 and 529 are Cloudflare's and Anthropic's "too slow" and "too busy").
RETRIED_STATUSES: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 524, 529})


#: The most characters of a code or a request id in a message; real ones have some forty.
MOST_OF_A_NAME: Final = 200


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Asked:
    """What the judge must know of the request.

    Attributes:
        method: Its method.
        url: Its URL.
        provider: The name of the preset.
        secrets: The credentials in it, to be masked where a server echoes them.
        wall_clock: The time of day in seconds since 1970.
    """

    method: str
    url: str
    provider: str
    secrets: Secrets
    wall_clock: Callable[[], float] = attrs.field(repr=False)


_BY_STATUS: Final[Mapping[int, type[APIStatusError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: InsufficientCreditsError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: BadRequestError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    529: OverloadedError,
}

#: Kinds that say more than the status does.
_BY_KIND: Final[Mapping[str, type[APIStatusError]]] = {
    "context_length_exceeded": ContextLengthExceededError,
    "exceed_context_size_error": ContextLengthExceededError,
    "content_filter": ContentFilterError,
    "content_policy_violation": ContentFilterError,
    "model_not_found": ModelNotFoundError,
    "model_deprecated": ModelNotFoundError,
    "insufficient_quota": InsufficientCreditsError,
    "billing_hard_limit_reached": InsufficientCreditsError,
    "payment_required": InsufficientCreditsError,
    "overloaded_error": OverloadedError,
    "provider_overloaded": OverloadedError,
    "capacity_exhausted": OverloadedError,
    "temporarily_unavailable": OverloadedError,
}

#: Where no kind is sent, the words tell (vLLM, llama.cpp, Ollama); (statuses, words, class).
_BY_WORDS: Final[tuple[tuple[frozenset[int], tuple[str, ...], type[APIStatusError]], ...]] = (
    (
        frozenset({400, 413, 422, 500}),
        ("context length", "context size", "context window", "maximum context"),
        ContextLengthExceededError,
    ),
    (frozenset({400}), ("invalid model name", "model not found"), ModelNotFoundError),
    (frozenset({503}), ("overloaded", "over capacity", "no capacity"), OverloadedError),
)

#: "model" as a word of its own: not the path of a URL such as /v1/models.
_MODEL: Final = r"(?<![\w/-])model(?![\w/-])"

_ADVICE: Final[Mapping[type[APIStatusError], str]] = {
    ContextLengthExceededError: "Send fewer or shorter messages, or ask for fewer tokens.",
    ContentFilterError: "The provider's filter refused it; `details` has the reasons it gave.",
    AuthenticationError: "Check the key: is it the right one for this base URL, and still valid?",
    InsufficientCreditsError: "Top up the account or raise its limit.",
    PermissionDeniedError: "The key is known, but may not do this.",
    ModelNotFoundError: "Look which models there are (GET …/models), and check the spelling.",
    RateLimitError: "Slow down, or raise max_retries.",
}


def status_error(response: Response, asked: Asked) -> APIStatusError:
    """Return the error for a reply whose status is not 2xx.

    Args:
        response: The reply, with the beginning of its body as `content`.
        asked: The request.
    """
    response, body = _masked(response, asked.secrets)
    error = _judged(facts_of(body), body, response, response.status_code, asked)
    error.status_code = response.status_code
    return error


def answer_error(error: object, response: Response, asked: Asked) -> APIStatusError:
    """Return the error for an answer that came with status 200 and says that it failed.

    Its `status_code` is None: the status was not the error. The class follows its code or kind.

    Args:
        error: The error object in the answer.
        response: The reply.
        asked: The request.
    """
    error = masked_document(error, asked.secrets)
    facts = facts_of(error)
    return _judged(facts, error, _masked(response, asked.secrets)[0], facts.status, asked)


def stream_error(error: object, secrets: Secrets) -> StreamProviderError:
    """Return the error for an error object inside a stream.

    Args:
        error: The object, a plain string, or a word of ours.
        secrets: What must not be shown.
    """
    error = masked_document(error, secrets)
    facts = facts_of(error)
    advice = False if "insufficient_quota" in facts.kinds else retry_advice({}, facts.availability)
    status = facts.status
    return StreamProviderError(
        f"The provider reported an error inside the stream: {facts.message}" + _code(facts),
        code=facts.code,
        judged_as=status,
        body=error,
        details=_details(facts),
        retry_after=retry_delay({}, lambda: 0.0, facts.availability),
        advice=advice,
        # An error without a code is most often the provider's side breaking down.
        retryable=advice if advice is not None else status is None or status in RETRIED_STATUSES,
    )


def shown_url(url: str) -> str:
    """Return a URL fit for a message: without its query, which may hold keys."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _shown_target(location: str) -> str:
    """Return where a redirect leads, fit for a message: without user, password and query.

    It is no URL yet: it may be relative, and a server may write anything there.
    """
    scheme, slashes, rest = location.partition("?")[0].partition("#")[0].partition("//")
    place, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{place.rpartition('@')[2]}{slash}{path}"


def _judged(
    facts: Facts, body: object, response: Response, status: int | None, asked: Asked
) -> APIStatusError:
    kind = _kind(facts, status)
    advice = _advice_on_retrying(kind, facts, response.headers)
    return kind(
        _message(kind, facts, response, status, asked),
        response=response,
        provider=asked.provider,
        judged_as=status,
        code=facts.code,
        body=body,
        details=_details(facts),
        retry_after=retry_delay(response.headers, asked.wall_clock, facts.availability),
        advice=advice,
        retryable=advice if advice is not None else status in RETRIED_STATUSES,
    )


def _kind(facts: Facts, status: int | None) -> type[APIStatusError]:
    for kind in facts.kinds:
        if kind in _BY_KIND:
            return _BY_KIND[kind]
    if facts.metadata.get("reasons"):
        # OpenRouter's moderation answers 403 with the reasons.
        return ContentFilterError
    words = facts.message.lower()
    for statuses, phrases, found in _BY_WORDS:
        if status in statuses and any(phrase in words for phrase in phrases):
            return found
    if status == 404 and re.search(_MODEL, words):
        return ModelNotFoundError
    if status is not None and status >= 500:
        return _BY_STATUS.get(status, InternalServerError)
    return _BY_STATUS.get(status or 0, APIStatusError)


def _advice_on_retrying(kind: type[APIStatusError], facts: Facts, headers: Headers) -> bool | None:
    if issubclass(kind, InsufficientCreditsError):
        # A quota that is used up does not come back by asking again (OpenAI sends it as 429).
        return False
    return retry_advice(headers, facts.availability)


def _message(
    kind: type[APIStatusError],
    facts: Facts,
    response: Response,
    status: int | None,
    asked: Asked,
) -> str:
    where = f"{asked.method} {shown_url(asked.url)}"
    if 300 <= response.status_code < 400:
        target = mask(response.headers.get("location", ""), asked.secrets)
        target = elide(_shown_target(target), 300) or "nowhere"
        return (
            f"{response.status_code} from {where}: it redirects to {target}. Redirects are not "
            "followed, as they would carry the key along; set base_url to the final address."
        )
    said = f"{_phrase(response.status_code)} from {where}: {facts.message}"
    if response.status_code < 300:
        said = f"{where} answered 200 with an error: {facts.message}"
        said += _code(facts)
    advice = _ADVICE.get(kind)
    if kind is NotFoundError:
        advice = _likely_fix(asked.url)
    parts = [said if said.endswith((".", "!", "?")) else f"{said}."]
    parts += [advice] if advice else []
    name = response.request_id
    parts += [f"Request id: {elide(name, MOST_OF_A_NAME)}."] if name else []
    return " ".join(parts)


def _code(facts: Facts) -> str:
    return "" if facts.code is None else f" (code {elide(str(facts.code), MOST_OF_A_NAME)})"


def _phrase(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _likely_fix(url: str) -> str:
    """Guess what is wrong with a base URL that led to a 404."""
    path = urlsplit(url).path
    if "/v1/v1/" in path:
        return "The URL has /v1 twice: take one from base_url."
    if "/v1/" not in path:
        return "Most servers have their API under /v1: try base_url=“…/v1”."
    return "Check base_url: it should be the part of the URL before /chat/completions."


def _details(facts: Facts) -> dict[str, Any]:
    found = {
        "param": facts.param,
        "metadata": dict(facts.metadata),
        "availability": dict(facts.availability),
        "previous_errors": facts.metadata.get("previous_errors"),
    }
    return {name: value for name, value in found.items() if value}


def _parsed(content: bytes) -> object:
    try:
        return loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")


def _masked(response: Response, secrets: Secrets) -> tuple[Response, object]:
    """Mask what a server echoes in its headers and body; return the body parsed, too."""
    headers = masked_headers(response.headers, secrets)
    content = response.content
    for secret in secrets:
        content = content.replace(secret.encode(), b"***")
    sent = _parsed(content)
    body = masked_document(sent, secrets)
    if body != sent:
        # Escapes of JSON hid the secret in the bytes: PHP writes a slash as “\\/”.
        content = dumps(body, allow_nan=True)
    return attrs.evolve(response, headers=headers, content=content), body
