"""`evoclient chat`: one question and its answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import attrs

from ..ground import ConfigurationError
from ..models.chat import ChatCompletion
from ..streaming.events import ContentEvent, ReasoningEvent, RefusalEvent, StreamEvent, events_of
from ..sync.client import Client
from .choice import choose
from .demo import demo_client
from .show import Show
from .stats import Figures
from .terminal import question, say

__all__ = ["Wishes", "chat"]

#: What ``-o`` may not set, and what sets it.
_SET_OTHERWISE: Final = {
    "messages": "the question and -s",
    "model": "-m",
    "stream": "--no-stream",
}


@attrs.frozen(kw_only=True)
class Wishes:
    """What the command line asks for.

    Attributes:
        prompt: The question, or None.
        model: The model, or None for the preset's.
        system: The instructions, or None.
        options: Names and values of further options, values as they were typed.
        provider: The preset, or None.
        base_url: The address, or None.
        demo: Whether to talk to a demo server.
        no_stream: Whether to wait for the whole answer.
        as_json: Whether to write the completion as JSON.
        plain: Whether to write plain text even to a terminal.
        stats: Whether to tell figures.
    """

    prompt: str | None
    model: str | None
    system: str | None
    options: Sequence[tuple[str, str]]
    provider: str | None
    base_url: str | None
    demo: bool
    no_stream: bool
    as_json: bool
    plain: bool
    stats: bool


def chat(wishes: Wishes) -> int:
    """Ask, and show the answer.

    Returns:
        The exit status.

    Raises:
        ConfigurationError: The wishes do not fit together, or are not enough.
        APIError: There is no good answer; what came of it has been shown.
    """
    options = _options(wishes.options)
    messages = _messages(wishes.system, question(wishes.prompt, sys.stdin))
    with _client(wishes) as client:
        model = _model(wishes.model, client)
        figures = Figures()
        # A JSON document says what a whole answer would say, and that includes the tokens.
        counted = {"usage": True} if wishes.stats or wishes.as_json else {}
        asked = {**counted, **options, "model": model, "messages": messages}
        try:
            with choose(as_json=wishes.as_json, plain=wishes.plain, waiting_for=model) as show:
                _ask(client, asked, show, figures, stream=not wishes.no_stream)
        finally:
            if wishes.stats:
                for line in figures.lines():
                    say(line)
    if not wishes.as_json and figures.completion is not None:
        _remark(figures.completion)
    return 0


def _client(wishes: Wishes) -> AbstractContextManager[Client]:
    if not wishes.demo:
        return Client(provider=wishes.provider, base_url=wishes.base_url)
    if wishes.provider is not None or wishes.base_url is not None:
        raise ConfigurationError(
            "--demo talks to a server of its own: leave out --provider and --base-url."
        )
    return demo_client()


def _model(given: str | None, client: Client) -> str:
    model = given or client.model
    if model is None:
        variables = "".join(f" or set {name}" for name in client.provider.model_variables)
        raise ConfigurationError(
            f"No model is named, and the preset “{client.provider.name}” has no default: "
            f"use -m MODEL{variables}."
        )
    return model


def _options(given: Sequence[tuple[str, str]]) -> dict[str, Any]:
    options = {}
    for name, value in given:
        if name in _SET_OTHERWISE:
            raise ConfigurationError(f"-o {name}: use {_SET_OTHERWISE[name]} for that.")
        options[name] = _value(value)
    return options


def _value(text: str) -> Any:
    """Return a value as JSON where it is JSON, else as text."""
    try:
        return json.loads(text, parse_constant=_not_json)
    except ValueError:
        return text


def _not_json(word: str) -> None:
    """Refuse NaN and Infinity, which Python reads and servers do not."""
    raise ValueError(word)


def _messages(system: str | None, prompt: str) -> list[dict[str, str]]:
    messages = [] if system is None else [{"role": "system", "content": system}]
    return [*messages, {"role": "user", "content": prompt}]


def _ask(
    client: Client, asked: Mapping[str, Any], show: Show, figures: Figures, *, stream: bool
) -> None:
    if stream:
        _ask_for_stream(client, asked, show, figures)
        return
    completion = client.chat.completions.create(**asked)
    figures.end(completion)
    show.reasoning(completion.reasoning or "")
    show.answer(_said(completion))
    show.completion(completion)


def _ask_for_stream(client: Client, asked: Mapping[str, Any], show: Show, figures: Figures) -> None:
    stream = client.chat.completions.create(stream=True, **asked)
    figures.chunks = 0
    try:
        with stream:
            for chunk in stream:
                figures.chunks += 1
                for event in events_of(chunk):
                    _tell(event, show, figures)
    finally:
        if figures.chunks:
            figures.end(stream.completion, stream.outcome)
            show.completion(stream.completion)


def _tell(event: StreamEvent, show: Show, figures: Figures) -> None:
    """Show what an event adds to choice 0; the others are in the JSON."""
    match event:
        case ContentEvent(text=text, choice=0) | RefusalEvent(text=text, choice=0):
            figures.saw_text()
            show.answer(text)
        case ReasoningEvent(text=text, choice=0):
            show.reasoning(text)
        case _:
            pass


def _said(completion: ChatCompletion) -> str:
    """Return the text of choice 0, or the words with which the model refused."""
    refusals = [choice.message.refusal for choice in completion.choices[:1]]
    return completion.text or next(filter(None, refusals), "")


def _remark(completion: ChatCompletion) -> None:
    """Say what an answer without text holds in its place."""
    if _said(completion):
        return
    for call in completion.tool_calls:
        say(f"The model asks for {call.function.name}({call.function.arguments}).")
    if not completion.tool_calls:
        say(f"The answer holds no text (finish reason: {completion.finish_reason}).")
