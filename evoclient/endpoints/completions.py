"""POST /completions, the older endpoint that continues a text, whole and streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Required

import attrs

from ..ground import NOT_GIVEN, ConfigurationError, NotGiven
from ..models.completions import Completion
from ..models.fields import adopt
from ..providers.base import Provider
from ..streaming.ending import Incomplete
from ..streaming.texts import TEXT
from ..wire import Response, Timeouts
from .base import Call, call_options, mapping
from .common import asks_for_usage, checked_completion, choices_asked, chosen_model
from .reading import ReadingOptions, reading_options

__all__ = ["CompletionOptions", "text_completion"]


class CompletionOptions(ReadingOptions, total=False):
    """The keyword arguments of `completions.create` besides `stream`.

    What is not given is not sent. Any other keyword goes into the body as it is; in code that is
    checked for types, put it into `extra_body`. How the answer is read (`stop_mode`, `recover`,
    callbacks …) stands in `ReadingOptions`.

    Attributes:
        prompt: A text, a list of texts, a list of token ids, or a list of such lists. Required.
        model: The model; default the client's `model`.
        best_of: How many answers are made, of which the best are returned.
        echo: Whether to return the prompt before each answer. Stop sequences are then looked for
            by the server alone, since the prompt may hold them.
        frequency_penalty: From -2 to 2; above 0 makes repeated tokens less likely.
        logit_bias: Token id to a bias from -100 to 100.
        logprobs: How many alternatives per token to return with their log probabilities.
        max_tokens: The most tokens of the answer.
        n: How many choices for each prompt.
        presence_penalty: From -2 to 2; above 0 makes new subjects more likely.
        seed: For answers that repeat as far as the provider can.
        stop: A text, or several, before which the answer ends.
        stream_options: Sent as given.
        suffix: The text that comes after the answer.
        temperature: From 0 to 2.
        top_p: From 0 to 1.
        user: A name for the end user, for the provider's abuse checks.
        usage: Whether to ask a stream for a usage chunk (adds ``stream_options``). Default False.
        incomplete: As for chat completions: "raise" (default), "accept" or "strict".
        timeout: A number of seconds (`first_chunk` and `idle`) or `Timeouts`, for this call.
        extra_headers: Headers for this call; a value of None takes one of the client's away.
        extra_query: Query parameters for this call.
        extra_body: Further fields of the body; they win over the other arguments.
    """

    prompt: Required[str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]]]
    model: str | NotGiven
    best_of: int | NotGiven | None
    echo: bool | NotGiven | None
    frequency_penalty: float | NotGiven | None
    logit_bias: Mapping[str, float] | NotGiven | None
    logprobs: int | NotGiven | None
    max_tokens: int | NotGiven | None
    n: int | NotGiven | None
    presence_penalty: float | NotGiven | None
    seed: int | NotGiven | None
    stop: str | Sequence[str] | NotGiven | None
    stream_options: Mapping[str, Any] | NotGiven | None
    suffix: str | NotGiven | None
    temperature: float | NotGiven | None
    top_p: float | NotGiven | None
    user: str | NotGiven
    usage: bool
    incomplete: Incomplete
    timeout: float | Timeouts | NotGiven | None
    extra_headers: Mapping[str, str | None] | None
    extra_query: Mapping[str, str | int | float | bool] | None
    extra_body: Mapping[str, Any] | None


def text_completion(
    given: Mapping[str, Any], *, stream: bool, default_model: str | None, provider: Provider
) -> Call[Completion]:
    """Return the call for a completion.

    Args:
        given: The keyword arguments of `create` (`CompletionOptions` and any others).
        stream: Whether the answer is to be streamed.
        default_model: The client's model.
        provider: The client's preset.

    Raises:
        ConfigurationError: An argument is wrong; it is named.
    """
    body = {name: value for name, value in given.items() if value is not NOT_GIVEN}
    options = call_options(body)
    reading = reading_options(body, provider)
    if body.get("echo"):
        reading = attrs.evolve(reading, stops=())
    extra_body = mapping(body.pop("extra_body", None), "extra_body")
    usage = body.pop("usage", False)
    body["model"] = chosen_model(body, extra_body, default_model)
    if body["model"] is None:
        del body["model"]
    body["prompt"] = _prompt(body.get("prompt"))
    if stream:
        body["stream"] = True
        if usage:
            asks_for_usage(body)
    body.update(extra_body)
    return Call(
        method="POST",
        path="/completions",
        body=body,
        read=_completion,
        choices=choices_asked(body.get("n")) * _prompts(body.get("prompt")),
        shape=TEXT,
        is_announced=True,
        reading=reading,
        options=options,
    )


def _completion(document: Any, response: Response) -> Completion:
    completion = adopt(Completion, checked_completion(document, response))
    completion.response = response
    return completion


def _prompt(given: object) -> str | list[Any]:
    """Return the prompt as JSON has it.

    Raises:
        ConfigurationError: It is no text, and no list of texts or tokens.
    """
    if isinstance(given, str):
        return given
    if isinstance(given, (Sequence, Iterator)) and not isinstance(given, (bytes, bytearray)):
        prompts = list(given)
        if prompts:
            return prompts
    raise ConfigurationError(
        "prompt must be a text, or a list of texts or tokens that is not empty; it is "
        + ("missing." if given is None else f"{given!r:.80}."),
        argument="prompt",
    )


def _prompts(prompt: object) -> int:
    """Return how many prompts there are: a list of numbers is one."""
    is_many = isinstance(prompt, list) and not all(isinstance(item, int) for item in prompt)
    return len(prompt) if is_many and isinstance(prompt, list) else 1
