"""The judge: status, headers and body to the right error."""

from __future__ import annotations

import json
import pickle
from typing import Any

import attrs
import pytest

from evoclient.errors import tree
from evoclient.errors.tree import APIStatusError, StreamProviderError
from evoclient.errors.verdict import (
    RETRIED_STATUSES,
    Asked,
    answer_error,
    shown_url,
    status_error,
    stream_error,
)
from evoclient.ground import Secrets
from evoclient.wire import Headers, Response

URL = "https://h.example/v1/chat/completions"
KEY = "sk-0123/456+789"


def asked(url: str = URL) -> Asked:
    """Return what the judge knows of a request."""
    return Asked(
        method="POST",
        url=url,
        provider="generic",
        secrets=Secrets([f"Bearer {KEY}", KEY]),
        wall_clock=lambda: 0.0,
    )


def judged(
    status: int, body: object = "", headers: dict[str, str] | None = None, url: str = URL
) -> APIStatusError:
    """Return the error for a reply."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    content = body.encode() if isinstance(body, str) else content
    return status_error(
        Response(status, Headers(headers or {}), shown_url(url), 0.1, content), asked(url)
    )


def error(message: str = "m", **more: Any) -> dict[str, Any]:
    """Return an error body in OpenAI's shape."""
    return {"error": {"message": message, **more}}


@attrs.frozen(kw_only=True)
class Case:
    """A reply, and the error for it."""

    status: int
    body: object = ""
    kind: str
    words: str = ""
    code: object = None
    advice: bool | None = None
    headers: dict[str, str] = attrs.field(factory=dict)
    retry_after: float | None = None


OVERFLOW = "request (4170 tokens) exceeds the available context size (4096 tokens)"

CASES: dict[str, Case] = {
    # Statuses, without a word.
    **{
        str(status): Case(status=status, kind=kind, words="no message")
        for status, kind in {
            400: "BadRequestError",
            401: "AuthenticationError",
            402: "InsufficientCreditsError",
            403: "PermissionDeniedError",
            404: "NotFoundError",
            408: "APIStatusError",
            409: "ConflictError",
            413: "BadRequestError",
            418: "APIStatusError",
            422: "UnprocessableEntityError",
            425: "APIStatusError",
            429: "RateLimitError",
            500: "InternalServerError",
            501: "InternalServerError",
            502: "InternalServerError",
            503: "InternalServerError",
            504: "InternalServerError",
            524: "InternalServerError",
            529: "OverloadedError",
            599: "InternalServerError",
        }.items()
    },
    # OpenAI.
    "OpenAI, key": Case(
        status=401,
        body=error("Incorrect API key", type="invalid_request_error", code="invalid_api_key"),
        kind="AuthenticationError",
        words="Incorrect API key. Check the key",
        code="invalid_api_key",
    ),
    "OpenAI, quota": Case(
        status=429,
        body=error("You exceeded", type="insufficient_quota", code="insufficient_quota"),
        kind="InsufficientCreditsError",
        words="Top up",
        code="insufficient_quota",
        advice=False,
        headers={"x-should-retry": "true"},
    ),
    "OpenAI, rate": Case(
        status=429,
        body=error("Slow down", type="requests", code="rate_limit_exceeded"),
        kind="RateLimitError",
        code="rate_limit_exceeded",
        headers={"Retry-After-Ms": "1500"},
        retry_after=1.5,
    ),
    "OpenAI, context": Case(
        status=400,
        body=error("too long", code="context_length_exceeded"),
        kind="ContextLengthExceededError",
        code="context_length_exceeded",
        words="fewer or shorter messages",
    ),
    "OpenAI, model": Case(
        status=404,
        body=error("The model `x` does not exist", code="model_not_found"),
        kind="ModelNotFoundError",
        code="model_not_found",
        words="check the spelling",
    ),
    "OpenAI, filter": Case(
        status=400,
        body=error("refused", code="content_filter"),
        kind="ContentFilterError",
        code="content_filter",
    ),
    "OpenAI says no": Case(
        status=500,
        body=error("never again"),
        kind="InternalServerError",
        headers={"x-should-retry": "false"},
        advice=False,
    ),
    "OpenAI says yes": Case(
        status=400,
        body=error("try again"),
        kind="BadRequestError",
        headers={"x-should-retry": "true"},
        advice=True,
    ),
    # OpenRouter.
    "OpenRouter, credits": Case(
        status=402,
        body=error("Insufficient credits", code=402),
        kind="InsufficientCreditsError",
        code=402,
        advice=False,
    ),
    "OpenRouter, moderation": Case(
        status=403,
        body=error("flagged", code=403, metadata={"reasons": ["violence"], "flagged_input": "…"}),
        kind="ContentFilterError",
        code=403,
    ),
    "OpenRouter, provider": Case(
        status=502,
        body=error("boom", code=502, metadata={"error_type": "provider_unavailable"}),
        kind="InternalServerError",
        code=502,
    ),
    "OpenRouter, overloaded": Case(
        status=503,
        body=error("busy", code=503, metadata={"error_type": "provider_overloaded"}),
        kind="OverloadedError",
        code=503,
    ),
    "OpenRouter, capacity": Case(
        status=503,
        body=error(
            "busy",
            http_status=503,
            availability={"code": "capacity_exhausted", "retryable": True, "retry_after": 7},
        ),
        kind="OverloadedError",
        code=503,
        advice=True,
        retry_after=7,
    ),
    "OpenRouter, no endpoints": Case(
        status=503,
        body=error("none", availability={"code": "region_restricted", "retryable": False}),
        kind="InternalServerError",
        advice=False,
    ),
    "OpenRouter, deprecated": Case(
        status=410,
        body=error("gone", availability={"code": "model_deprecated", "retryable": False}),
        kind="ModelNotFoundError",
        advice=False,
    ),
    # vLLM, llama.cpp, Ollama.
    "vLLM, context": Case(
        status=400,
        body=error(
            "This model's maximum context length is 4096 tokens.",
            type="BadRequestError",
            code=400,
        ),
        kind="ContextLengthExceededError",
        code=400,
    ),
    "vLLM, older": Case(
        status=400,
        body={"object": "error", "message": "top_p must be in (0, 1]", "type": "B", "code": 40004},
        kind="BadRequestError",
        words="top_p must be in",
        code=40004,
    ),
    "vLLM, model": Case(
        status=404,
        body={"object": "error", "message": "The model `x` does not exist.", "code": 404},
        kind="ModelNotFoundError",
        code=404,
    ),
    "llama.cpp (Q40)": Case(
        status=400,
        body=error(OVERFLOW, code=400, type="exceed_context_size_error", n_ctx=4096),
        kind="ContextLengthExceededError",
        words="4170 tokens",
        code=400,
    ),
    "llama.cpp, loading": Case(
        status=503,
        body=error("Loading model", type="unavailable_error", code=503),
        kind="InternalServerError",
        code=503,
    ),
    "Ollama, model": Case(
        status=404,
        body=error('model "x" not found, try pulling it first', type="not_found_error", code=None),
        kind="ModelNotFoundError",
    ),
    "Ollama, native": Case(
        status=500, body={"error": "no slots"}, kind="InternalServerError", words="no slots"
    ),
    # FastAPI, gateways, plain text and worse.
    "FastAPI": Case(
        status=404, body={"detail": "Not Found"}, kind="NotFoundError", words="Not Found"
    ),
    "FastAPI, faults": Case(
        status=422,
        body={"detail": [{"loc": ["body", "n"], "msg": "too small"}]},
        kind="UnprocessableEntityError",
        words="body.n: too small",
    ),
    "Google": Case(
        status=400,
        body=[error("bad", code=400)],
        kind="BadRequestError",
        words="bad",
        code=400,
    ),
    "a path is no model": Case(
        status=404, body="Cannot GET /v1/models/model", kind="NotFoundError", words="Cannot GET"
    ),
    "text": Case(status=503, body="upstream busy", kind="InternalServerError", words="upstream"),
    "text, overloaded": Case(status=503, body="The server is overloaded", kind="OverloadedError"),
    "HTML": Case(
        status=502,
        body="<html><title>Bad Gateway</title>" + "x" * 9000,
        kind="InternalServerError",
        words="an HTML page titled “Bad Gateway”",
    ),
    "broken JSON": Case(
        status=400, body=b'{"error": {"mess', kind="BadRequestError", words='{"error": {"mess'
    ),
    "BOM": Case(
        status=400,
        body="\ufeff" + json.dumps(error("bad")),
        kind="BadRequestError",
        words="example/v1/chat/completions: bad",
    ),
    "bad UTF-8": Case(
        status=400, body=b'{"error": "\xff"}', kind="BadRequestError", words="\ufffd"
    ),
    "deep": Case(status=400, body="[" * 20_000, kind="BadRequestError"),
    "deep and whole": Case(
        status=400, body='{"error": ' + "[" * 9000 + "]" * 9000 + "}", kind="BadRequestError"
    ),
    "a number": Case(status=400, body="5", kind="BadRequestError", words="5"),
    "seconds": Case(
        status=503, headers={"retry-after": "61"}, kind="InternalServerError", retry_after=61
    ),
    "a date": Case(
        status=429,
        headers={"Retry-After": "Thu, 01 Jan 1970 00:00:09 GMT"},
        kind="RateLimitError",
        retry_after=9,
    ),
}
CASES["402"] = attrs.evolve(CASES["402"], advice=False)


@pytest.mark.parametrize("name", CASES)
def test_verdicts(name: str) -> None:
    """Each reply gives the class, code, words and retry hints that its dialect means."""
    case = CASES[name]
    found = judged(case.status, case.body, case.headers)
    assert type(found) is getattr(tree, case.kind)
    assert case.words in found.message
    assert found.code == case.code
    assert found.advice is case.advice
    assert found.retry_after == case.retry_after
    expected = case.status in RETRIED_STATUSES if case.advice is None else case.advice
    assert found.retryable is expected
    assert (found.status_code, found.judged_as) == (case.status, case.status)
    assert (found.provider, found.partial) == ("generic", None)
    assert f"{case.status} " in found.message
    assert f"POST {URL}" in found.message
    assert str(pickle.loads(pickle.dumps(found))) == str(found)  # noqa: S301 - our own bytes


def test_details() -> None:
    """What the server says besides is in `details`, the parsed body in `body`."""
    metadata = {"reasons": ["x"], "previous_errors": [{"code": 429}]}
    body = error("m", param="top_p", metadata=metadata)
    found = judged(403, body)
    assert found.body == body
    assert found.details == {
        "param": "top_p",
        "metadata": metadata,
        "previous_errors": [{"code": 429}],
    }
    assert judged(400, "text").body == "text"
    assert judged(400).details == {}


def test_request_id() -> None:
    """The server's name for the request is in the message and an attribute."""
    found = judged(500, "x", {"X-Request-Id": "r-1"})
    assert found.request_id == "r-1"
    assert "Request id: r-1." in found.message


@pytest.mark.parametrize("body", ["word " * 13_000, error("word " * 12_000), "<p>" + "x " * 30_000])
def test_messages_quote_little(body: object) -> None:
    """A huge body is quoted up to 2 KB, and kept in the response."""
    found = judged(400, body)
    assert len(found.message) < 2048 + 300
    assert found.response is not None
    assert len(found.response.content) > 50_000


def test_messages_quote_little_of_names() -> None:
    """Neither a huge code nor a huge request id makes a message long; both are kept whole."""
    found = judged(400, error("m"), {"X-Request-Id": "r " * 10_000})
    assert len(found.message) < 1000
    assert found.request_id == "r " * 10_000
    code = "9 " * 10_000
    in_stream = stream_error({"message": "m", "code": code}, Secrets())
    assert len(in_stream.message) < 1000
    assert in_stream.code == code


@pytest.mark.parametrize("status", [301, 302, 304, 307, 308])
def test_redirects(status: int) -> None:
    """A redirect is an error that names its target."""
    found = judged(status, "", {"Location": "https://other.example/v1"})
    assert "redirects to https://other.example/v1" in found.message
    assert "base_url" in found.message
    assert not found.retryable
    assert "redirects to nowhere" in judged(status).message
    assert "redirects to nowhere" in judged(status, "", {"Location": ""}).message


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://ann:pass@other.example/v1?sig=hidden#hidden", "https://other.example/v1."),
        ("//ann:pass@other.example", "//other.example."),
        ("/login?next=hidden", "/login."),
        ("login", "login."),
        ("http://[", "http://[."),
        (f"https://other.example/{'x.' * 134}{KEY}", "https://other.example/x.x."),
    ],
)
def test_targets_are_shown_without_credentials(location: str, shown: str) -> None:
    """A target is named without user, password and query, whatever a server has written there."""
    message = judged(307, "", {"Location": location}).message
    assert f"redirects to {shown}" in message
    assert "hidden" not in message
    assert "pass" not in message
    assert KEY[:7] not in message


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("https://h/v1/v1/chat/completions", "/v1 twice"),
        ("https://h/chat/completions", "try base_url=“…/v1”"),
        ("https://h/v1/chat/completions", "the part of the URL before /chat/completions"),
    ],
)
def test_not_found(url: str, hint: str) -> None:
    """A 404 shows the URL tried and the likely fix."""
    found = judged(404, "Not Found", url=url)
    assert hint in found.message
    assert url in found.message


def test_urls_are_shown_without_their_query() -> None:
    """A query may hold a key."""
    assert shown_url("https://h:1/v1/m?key=sk-hidden#x") == "https://h:1/v1/m"
    assert "sk-hidden" not in judged(404, url="https://h/v1/m?key=sk-hidden").message


ESCAPED = KEY.replace("/", "\\/").replace("+", "\\u002b")


@pytest.mark.parametrize(
    "body",
    [
        error(f"Incorrect API key provided: {KEY}"),
        error("m", param=KEY, metadata={KEY: [f"Bearer {KEY}"]}),
        f"Bearer {KEY} is wrong",
        f"<title>{KEY}</title>",
        {"detail": [{"loc": [KEY], "msg": KEY}]},
        f'{{"error": {{"message": "key {ESCAPED}", "code": "{ESCAPED}"}}}}',
        f'{{"error": "{ESCAPED}"}}',
    ],
)
def test_echoed_secrets(body: object) -> None:
    """A key that a server echoes shows nowhere in the error, JSON's escapes or not."""
    found = judged(401, body, {"X-Echo": KEY, "Location": KEY})
    assert found.response is not None
    everything = [str(found), repr(found), repr(found.__dict__), found.response.content.decode()]
    everything += [value for _, value in found.response.headers.pairs]
    for text in everything:
        assert KEY not in text
        assert ESCAPED not in text
    assert "***" in str(found.body)
    assert "***" in found.response.content.decode()


def test_bodies_without_secrets_stay_as_they_are() -> None:
    """The bytes of a body that holds no secret are those that were sent."""
    content = b'{ "error" : "\\u0444\\/" , "n": NaN}'
    found = judged(400, content)
    assert found.response is not None
    assert found.response.content == content


@pytest.mark.parametrize(
    ("given", "kind", "code", "judged_as", "retryable"),
    [
        ({"code": 429, "message": "m"}, "RateLimitError", 429, 429, True),
        ({"code": 402, "message": "m"}, "InsufficientCreditsError", 402, 402, False),
        ({"code": "502", "message": "m"}, "InternalServerError", "502", 502, True),
        ({"type": "overloaded_error", "message": "m"}, "OverloadedError", None, 529, True),
        ({"type": "invalid_request_error", "code": "invalid_api_key", "message": "m"},
         "AuthenticationError", "invalid_api_key", 401, False),
        ({"message": "m"}, "APIStatusError", None, None, False),
        ("plain m", "APIStatusError", None, None, False),
    ],
)  # fmt: skip
def test_errors_under_200(
    given: object, kind: str, code: object, judged_as: int | None, retryable: bool
) -> None:
    """An answer that says that it failed is judged by code or kind; its status is no error."""
    response = Response(200, Headers([("X-Echo", KEY)]), URL)
    found = answer_error(given, response, asked())
    assert type(found) is getattr(tree, kind)
    assert found.status_code is None
    assert (found.code, found.judged_as, found.retryable) == (code, judged_as, retryable)
    assert "answered 200 with an error" in found.message
    assert KEY not in repr(found.response)


def test_errors_under_200_show_no_secret() -> None:
    """A key in the error object of an answer is masked."""
    found = answer_error({"message": KEY, "code": KEY}, Response(200, Headers()), asked())
    assert KEY not in f"{found} {found.body} {found.code}"


@pytest.mark.parametrize(
    ("given", "code", "judged_as", "retryable", "advice"),
    [
        ({"code": 429, "message": "m"}, 429, 429, True, None),
        ({"code": 400, "message": "m"}, 400, 400, False, None),
        ({"code": "insufficient_quota", "message": "m"}, "insufficient_quota", 429, False, False),
        ({"message": "m", "availability": {"retryable": False, "retry_after": 9}},
         None, None, False, False),
        ({"type": "InternalServerError", "code": 500, "message": "m"}, 500, 500, True, None),
        ("m", None, None, True, None),
    ],
)  # fmt: skip
def test_errors_in_streams(
    given: object, code: object, judged_as: int | None, retryable: bool, advice: bool | None
) -> None:
    """An error in a stream is judged like its status; without one it may be tried again."""
    found = stream_error(given, Secrets())
    assert type(found) is StreamProviderError
    assert (found.code, found.judged_as, found.retryable) == (code, judged_as, retryable)
    assert (found.advice, found.status_code) == (advice, None)
    assert "inside the stream: m" in found.message
    assert found.body == given
    if isinstance(given, dict) and "availability" in given:
        assert found.retry_after == 9


def test_errors_in_streams_show_no_secret() -> None:
    """A key in the error object of a stream is masked."""
    found = stream_error({"message": KEY, "code": KEY, "metadata": {KEY: KEY}}, Secrets([KEY]))
    assert KEY not in f"{found} {found.body} {found.code} {found.details}"
