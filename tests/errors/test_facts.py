"""What an error body says, in whichever dialect."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.errors.facts import MOST_QUOTED, Facts, error_in, facts_of

from ..streaming.driving import growth

OVERFLOW = (
    "request (4170 tokens) exceeds the available context size (4096 tokens), try increasing it"
)
OPENAI = {
    "error": {
        "message": "Incorrect API key provided",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_api_key",
    }
}
OPENROUTER: dict[str, Any] = {
    "error": {
        "code": 429,
        "message": "Rate limit exceeded",
        "metadata": {"error_type": "rate_limit_exceeded", "provider_code": "rate_limited"},
    },
    "user_id": "u",
}
AVAILABILITY: dict[str, Any] = {
    "error": {
        "message": "No endpoints",
        "error_type": "provider_unavailable",
        "http_status": 503,
        "availability": {"code": "capacity_exhausted", "retryable": True, "retry_after": 5},
    }
}

# The body, then message, code, kinds, and the status that the error amounts to.
DIALECTS: dict[str, tuple[Any, str, Any, tuple[str, ...], int | None]] = {
    "OpenAI": (
        OPENAI, "Incorrect API key provided", "invalid_api_key",
        ("invalid_api_key", "invalid_request_error"), 401,
    ),
    "OpenAI's object alone": (
        OPENAI["error"], "Incorrect API key provided", "invalid_api_key",
        ("invalid_api_key", "invalid_request_error"), 401,
    ),
    "OpenRouter": (OPENROUTER, "Rate limit exceeded", 429, ("rate_limit_exceeded",), 429),
    "OpenRouter, availability": (
        AVAILABILITY, "No endpoints", 503, ("capacity_exhausted", "provider_unavailable"), 503,
    ),
    "vLLM": (
        {"error": {"message": "bad", "type": "BadRequestError", "param": "top_p", "code": 400}},
        "bad", 400, ("badrequesterror",), 400,
    ),
    "vLLM, older": (
        {"object": "error", "message": "bad", "type": "BadRequestError", "code": 400},
        "bad", 400, ("badrequesterror",), 400,
    ),
    "llama.cpp (Q40)": (
        {"error": {"code": 400, "message": OVERFLOW, "type": "exceed_context_size_error"}},
        OVERFLOW, 400, ("exceed_context_size_error",), 400,
    ),
    "Ollama (Q32)": (
        {"error": {"message": "model 'x' not found", "type": "not_found_error", "code": None}},
        "model 'x' not found", None, ("not_found_error",), 404,
    ),
    "Ollama, native": ({"error": "model not found"}, "model not found", None, (), None),
    "FastAPI, text": ({"detail": "Not Found"}, "Not Found", None, (), None),
    "FastAPI, faults": (
        {"detail": [{"loc": ["body", "n", 0], "msg": "too small"}, {"msg": "bad"}, "x"]},
        "body.n.0: too small; bad; x", None, (), None,
    ),
    "FastAPI, an object": ({"detail": {"message": "no"}}, "no", None, (), None),
    "Google": ([{"error": {"code": 400, "message": "bad"}}], "bad", 400, (), 400),
    "a list of errors": ({"errors": [{"message": "a"}, {"message": "b"}]}, "a", None, (), None),
    "Anthropic": (
        {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}},
        "busy", None, ("overloaded_error",), 529,
    ),
    "a code in letters": ({"error": {"message": "m", "code": "429"}}, "m", "429", ("429",), 429),
    "a code that is no status": ({"error": {"message": "m", "code": 7}}, "m", 7, (), None),
    "a code of an odd type": ({"error": {"message": "m", "code": [1]}}, "m", None, (), None),
    "a boolean code": ({"error": {"message": "m", "code": True}}, "m", None, (), None),
    "text": ("Service\n  Unavailable ", "Service Unavailable", None, (), None),
    "empty": ("", "no message", None, (), None),
    "nothing": (None, "None", None, (), None),
    "an empty message": ({"error": {"message": "", "x": 1}}, "{'message': '', 'x': 1}", None, (),
                         None),
    "HTML": ("<html><head>", "an HTML page", None, (), None),
    "HTML with a title": (
        "<!DOCTYPE html><TITLE lang=x>\n 502 Bad Gateway </TITLE>",
        "an HTML page titled “502 Bad Gateway”", None, (), None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_dialects(dialect: str) -> None:
    """Each dialect gives words, code, kinds (the one that tells most first) and status."""
    body, message, code, kinds, status = DIALECTS[dialect]
    facts = facts_of(body)
    assert (facts.message, facts.code, facts.kinds, facts.status) == (message, code, kinds, status)


def test_openrouter_details() -> None:
    """OpenRouter's metadata and availability are kept as sent."""
    assert facts_of(OPENROUTER).metadata["provider_code"] == "rate_limited"
    assert facts_of(AVAILABILITY).availability["retry_after"] == 5
    odd = facts_of({"error": {"message": "m", "metadata": "x", "availability": [1]}})
    assert (odd.metadata, odd.availability) == ({}, {})


def test_parameters() -> None:
    """The parameter at fault is kept where it is a string."""
    assert facts_of({"error": {"message": "m", "param": "top_p"}}).param == "top_p"
    assert facts_of({"error": {"message": "m", "param": 5}}).param is None


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        (("invalid_api_key", "invalid_request_error"), 401),
        (("model_not_found", "invalid_request_error"), 404),
        (("unheard_of", "server_error"), 500),
        (("unheard_of",), None),
        ((), None),
    ],
)
def test_the_first_known_kind_tells_the_status(kinds: tuple[str, ...], status: int | None) -> None:
    """Of several kinds the first known one decides, the same in every process."""
    assert Facts(message="m", kinds=kinds).status == status


@pytest.mark.parametrize("code", ["9" * 5000, "0429", "4290", "\u0664\u0662\u0669", ""])
def test_numbers_that_are_no_status(code: str) -> None:
    """A code in digits is a status only with three of them; Python refuses to read thousands."""
    assert Facts(message="m", code=code).status is None


@pytest.mark.parametrize(
    "body",
    [
        "x" * 50_000,
        "word " * 10_000,
        {"error": {"message": "word " * 10_000}},
        {"detail": [{"msg": "word " * 100}] * 1000},
        {"odd": ["word "] * 10_000},
        "<html>" + "word " * 10_000,
        "<title>" + "word " * 10_000 + "</title>",
    ],
)
def test_quotes_are_short(body: object) -> None:
    """At most 2 KB of a server's words are quoted."""
    assert 0 < len(facts_of(body).message) <= MOST_QUOTED + 40


@pytest.mark.parametrize("piece", ["<title>", "<title", "<title></titl", "</title"])
def test_titles_are_found_in_linear_time(piece: str) -> None:
    """A page made to keep a pattern busy is read as fast as any other."""
    assert growth(lambda size: facts_of(piece * size), 50_000) < 2.6


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"error": {"message": "m"}}, {"message": "m"}),
        ({"error": "m"}, "m"),
        ({"error": None}, None),
        ({"error": {}}, None),
        ({"error": ""}, None),
        ({"object": "error", "message": "m"}, {"object": "error", "message": "m"}),
        ({"choices": [5, {"error": {"code": 1}}]}, {"code": 1}),
        ({"choices": {"error": 1}}, None),
        ({"x_groq": {"error": "m"}}, "m"),
        ({"x_groq": "m"}, None),
        ([{"error": "m"}], None),
        ("error", None),
        (None, None),
    ],
)
def test_where_errors_are(document: object, error: object) -> None:
    """An error is looked for at the top, in the choices and where Groq puts it."""
    assert error_in(document) == error
