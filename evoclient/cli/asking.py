"""One question and its answer: what comes is told to a show and to the figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..models.chat import ChatCompletion
from ..streaming.events import ContentEvent, ReasoningEvent, RefusalEvent, StreamEvent
from ..streaming.telling import EventReader
from ..sync.client import Client
from .show import Show
from .stats import Figures
from .terminal import say

__all__ = ["ask", "remark", "said"]


def ask(
    client: Client, asked: Mapping[str, Any], show: Show, figures: Figures, *, stream: bool
) -> None:
    """Ask, and tell a show and the figures what comes of it.

    Args:
        client: Whom to ask with.
        asked: The arguments of the request.
        show: Is told the answer.
        figures: Are told when what came; at a bad end they hold what there is of the answer.
        stream: Whether to ask for the answer in pieces.

    Raises:
        EvoClientError: There is no good answer.
    """
    if stream:
        _ask_for_stream(client, asked, show, figures)
        return
    completion = client.chat.completions.create(**asked)
    figures.end(completion)
    show.reasoning(completion.reasoning or "")
    show.answer(said(completion))
    show.completion(completion)


def _ask_for_stream(client: Client, asked: Mapping[str, Any], show: Show, figures: Figures) -> None:
    stream = client.chat.completions.create(stream=True, **asked)
    figures.chunks = 0
    reader = EventReader()
    try:
        with stream:
            for chunk in stream:
                figures.chunks += 1
                for event in reader.feed(chunk):
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


def said(completion: ChatCompletion) -> str:
    """Return the text of choice 0, or the words with which the model refused."""
    refusals = [choice.message.refusal for choice in completion.choices[:1]]
    return completion.text or next(filter(None, refusals), "")


def remark(completion: ChatCompletion) -> None:
    """Say what an answer without text holds in its place."""
    if said(completion):
        return
    for call in completion.tool_calls:
        say(f"The model asks for {call.function.name}({call.function.arguments}).")
    if not completion.tool_calls:
        say(f"The answer holds no text (finish reason: {completion.finish_reason}).")
