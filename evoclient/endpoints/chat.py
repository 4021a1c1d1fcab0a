"""POST /chat/completions, whole and streamed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Required, TypeAlias

from ..ground import NOT_GIVEN, ConfigurationError, NotGiven
from ..models.base import Record
from ..models.chat import ChatCompletion
from ..models.fields import adopt
from ..providers.base import Provider
from ..streaming.ending import Incomplete
from ..wire import Response, Timeouts
from .base import Call, call_options, mapping
from .common import asks_for_usage, checked_completion, choices_asked, chosen_model
from .reading import ReadingOptions, reading_options

__all__ = ["ChatOptions", "Message", "chat_completion"]

#: A message is a dict such as ``{"role": "user", "content": "…"}``, or a message of a completion.
Message: TypeAlias = Mapping[str, Any] | Record


class ChatOptions(ReadingOptions, total=False):
    """The keyword arguments of `chat.completions.create` besides `stream`.

    What is not given is not sent. Any other keyword goes into the body as it is; in code that is
    checked for types, put it into `extra_body`. How the answer is read (`stop_mode`, `recover`,
    callbacks …) stands in `ReadingOptions`.

    Attributes:
        messages: The conversation, oldest first. Required.
        model: The model; default the client's `model`.
        frequency_penalty: From -2 to 2; above 0 makes repeated tokens less likely.
        logit_bias: Token id to a bias from -100 to 100.
        logprobs: Whether to return log probabilities.
        top_logprobs: How many alternatives per token, with `logprobs`.
        max_tokens: The most tokens of the answer.
        max_completion_tokens: The same, reasoning included (newer OpenAI models).
        metadata: Labels kept with the request by some providers.
        modalities: Kinds of output, such as ``["text", "audio"]``.
        n: How many choices.
        parallel_tool_calls: Whether several tools may be called at once.
        presence_penalty: From -2 to 2; above 0 makes new subjects more likely.
        reasoning_effort: How much to think: "minimal", "low", "medium", "high" and others.
        response_format: What the answer must be, such as ``{"type": "json_object"}``.
        seed: For answers that repeat as far as the provider can.
        stop: A text, or several, before which the answer ends.
        stream_options: Sent as given.
        temperature: From 0 to 2.
        tool_choice: "none", "auto", "required", or one tool.
        tools: The tools that may be called.
        top_p: From 0 to 1.
        user: A name for the end user, for the provider's abuse checks.
        split_think: Whether ``<think>…</think>`` blocks of the content are moved to the
            reasoning. Default False.
        usage: Whether to ask a stream for a usage chunk (adds ``stream_options``). Default False.
        incomplete: What to do with a stream that ends without a finish reason: "raise"
            (default: an error where it was truncated; ``[DONE]`` alone is logged), "accept"
            (both are logged) or "strict" (both are errors).
        timeout: A number of seconds (`first_chunk` and `idle`) or `Timeouts`, for this call.
        extra_headers: Headers for this call; a value of None takes one of the client's away.
        extra_query: Query parameters for this call.
        extra_body: Further fields of the body; they win over the other arguments.
    """

    messages: Required[Iterable[Message]]
    model: str | NotGiven
    frequency_penalty: float | NotGiven | None
    logit_bias: Mapping[str, float] | NotGiven | None
    logprobs: bool | NotGiven | None
    top_logprobs: int | NotGiven | None
    max_tokens: int | NotGiven | None
    max_completion_tokens: int | NotGiven | None
    metadata: Mapping[str, str] | NotGiven | None
    modalities: Sequence[str] | NotGiven | None
    n: int | NotGiven | None
    parallel_tool_calls: bool | NotGiven
    presence_penalty: float | NotGiven | None
    reasoning_effort: str | NotGiven | None
    response_format: Mapping[str, Any] | NotGiven
    seed: int | NotGiven | None
    stop: str | Sequence[str] | NotGiven | None
    stream_options: Mapping[str, Any] | NotGiven | None
    temperature: float | NotGiven | None
    tool_choice: Literal["none", "auto", "required"] | Mapping[str, Any] | NotGiven
    tools: Iterable[Mapping[str, Any]] | NotGiven
    top_p: float | NotGiven | None
    user: str | NotGiven
    split_think: bool
    usage: bool
    incomplete: Incomplete
    timeout: float | Timeouts | NotGiven | None
    extra_headers: Mapping[str, str | None] | None
    extra_query: Mapping[str, str | int | float | bool] | None
    extra_body: Mapping[str, Any] | None


def chat_completion(
    given: Mapping[str, Any], *, stream: bool, default_model: str | None, provider: Provider
) -> Call[ChatCompletion]:
    """Return the call for a chat completion.

    Args:
        given: The keyword arguments of `create` (`ChatOptions` and any others).
        stream: Whether the answer is to be streamed.
        default_model: The client's model.
        provider: The client's preset.

    Raises:
        ConfigurationError: An argument is wrong; it is named.
    """
    body = {name: value for name, value in given.items() if value is not NOT_GIVEN}
    options = call_options(body)
    reading = reading_options(body, provider)
    extra_body = mapping(body.pop("extra_body", None), "extra_body")
    usage = body.pop("usage", False)
    body["model"] = chosen_model(body, extra_body, default_model)
    if body["model"] is None:
        del body["model"]
    body["messages"] = _messages(body.get("messages"))
    tools = body.get("tools")
    if isinstance(tools, Iterator):
        body["tools"] = list(tools)
    if stream:
        body["stream"] = True
        if usage:
            asks_for_usage(body)
    body.update(extra_body)
    return Call(
        method="POST",
        path="/chat/completions",
        body=body,
        read=_completion,
        choices=choices_asked(body.get("n")),
        is_announced=True,
        reading=reading,
        options=options,
    )


def _completion(document: Any, response: Response) -> ChatCompletion:
    completion = adopt(ChatCompletion, checked_completion(document, response))
    completion.response = response
    return completion


def _messages(given: object) -> list[Message]:
    """Return the messages as a list.

    Raises:
        ConfigurationError: There are none, or one is not a message.
    """
    if given is None or isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise ConfigurationError(
            "messages must be a list of messages such as "
            '[{"role": "user", "content": "Hello"}]; it is '
            + ("missing." if given is None else f"of type {type(given).__name__}."),
            argument="messages",
        )
    messages = list(given)
    if not messages:
        raise ConfigurationError(
            "messages is empty: there must be at least one message.", argument="messages"
        )
    for place, message in enumerate(messages):
        if not isinstance(message, (Mapping, Record)):
            raise ConfigurationError(
                f"messages[{place}] must be a dict with “role” and “content”; it is of type "
                f"{type(message).__name__}.",
                argument="messages",
            )
    return messages
