"""What an answer used: tokens, and money where the provider tells."""

from __future__ import annotations

from typing import Any

from .base import Record, record
from .fields import one, value

__all__ = ["TokenDetails", "Usage", "find_usage"]


@record
class TokenDetails(Record):
    """Parts of a number of tokens.

    Attributes:
        cached_tokens: Tokens of the prompt read from the provider's cache.
        cache_write_tokens: Tokens of the prompt written to it.
        audio_tokens: Tokens of sound.
        reasoning_tokens: Tokens of the answer that the model spent on thinking.
        accepted_prediction_tokens: Tokens of a given prediction that came true.
        rejected_prediction_tokens: Tokens of a given prediction that did not.
    """

    _telling = ("cached_tokens", "reasoning_tokens")

    cached_tokens: int | None = value()
    cache_write_tokens: int | None = value()
    audio_tokens: int | None = value()
    reasoning_tokens: int | None = value()
    accepted_prediction_tokens: int | None = value()
    rejected_prediction_tokens: int | None = value()


@record
class Usage(Record):
    """What a request and its answer used.

    Attributes:
        prompt_tokens: Tokens sent.
        completion_tokens: Tokens answered, thinking included.
        total_tokens: Both.
        cost: The price in the provider's currency (OpenRouter: credits, which are US dollars).
        cost_details: The parts of the price, as sent.
        prompt_tokens_details: Parts of the tokens sent.
        completion_tokens_details: Parts of the tokens answered.
    """

    _telling = ("prompt_tokens", "completion_tokens", "total_tokens", "cost")

    prompt_tokens: int | None = value()
    completion_tokens: int | None = value()
    total_tokens: int | None = value()
    cost: float | None = value()
    cost_details: dict[str, Any] | None = value()
    prompt_tokens_details: TokenDetails | None = one(TokenDetails)
    completion_tokens_details: TokenDetails | None = one(TokenDetails)


def find_usage(raw: dict[str, Any]) -> dict[str, Any] | None:
    """Return the usage object of a completion or chunk: its own, or the one in Groq's `x_groq`."""
    own = raw.get("usage")
    if type(own) is dict:
        return own
    beside = raw.get("x_groq")
    found = beside.get("usage") if type(beside) is dict else None
    return found if type(found) is dict else None
