"""Servers whose streams break, and readers of all three kinds, for the scenarios of recovery."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Final

import attrs

from evoclient.providers.base import Provider
from evoclient.providers.presets import GENERIC, PRESETS
from evoclient.streaming.events import ContentEvent, RestartEvent
from evoclient.transports.memory import MemoryReply
from evoclient.wire import Request
from tests.colours import Colour
from tests.twins.scripts import chunk

__all__ = [
    "CONTINUES",
    "ENGLISH",
    "MANNERS",
    "READERS",
    "REPEATS",
    "TEXTS",
    "Breaking",
    "Manner",
    "applied",
    "asked_of",
    "broken",
    "in_pieces",
    "named",
    "prefilled",
    "read",
    "reply",
    "streaming",
]

AnyColour = Colour[Any, Any]

#: A preset whose servers go on with an assistant message, and one whose servers repeat it first.
CONTINUES: Final = PRESETS["vllm"]
REPEATS: Final = attrs.evolve(GENERIC, prefill="repeats")


@attrs.frozen
class Manner:
    """How a server goes on.

    Attributes:
        name: What it does.
        provider: The preset that tells the client so.
        anew: Its second reply, from the text that came and the rest.
    """

    name: str
    provider: Provider
    anew: Callable[[str, str], str]


MANNERS = [
    Manner("continues", CONTINUES, lambda came, rest: rest),
    Manner("repeats", REPEATS, lambda came, rest: came + rest),
    Manner("asked-repeats-all", GENERIC, lambda came, rest: came + rest),
    Manner("asked-repeats-20", GENERIC, lambda came, rest: came[-20:] + rest),
]


def named(manner: Manner) -> str:
    """Return the name of a case."""
    return manner.name


_SENTENCES: Final = {
    "english": "The cat and the dog saw number {n}, and the cat said to the dog: the {n} of the. ",
    "russian": "Кот и пёс увидели число {n}, и кот сказал псу: это и есть то число, и то, и {n}. ",
    "chinese": "猫和狗看见了数字{n}，猫对狗说：这就是那个数字，数字{n}，猫和狗都看见了。",
    "emoji": "👩‍👩‍👧 ate 🍎🍎 and {n} 🇩🇪🇫🇷 flags, 👍🏽👍🏽 and 🍎🍎 again: {n} ❤️ é. ",
}


def in_pieces(text: str, count: int) -> list[str]:
    """Cut a text into so many pieces of nearly the same length."""
    marks = [len(text) * number // count for number in range(count + 1)]
    return [text[start:end] for start, end in pairwise(marks)]


def _text(sentence: str) -> str:
    return "".join(sentence.format(n=number * number) for number in range(10, 22)).strip()


TEXTS: Final = {name: _text(sentence) for name, sentence in _SENTENCES.items()}
ENGLISH: Final = TEXTS["english"]


def reply(pieces: Iterable[str], finish: str | None = "stop", **fields: Any) -> MemoryReply:
    """Return a stream of pieces of text; without a finish reason, it just ends."""
    events = [_event(piece) for piece in pieces]
    if finish:
        events.append(_event(None, finish))
    return MemoryReply.stream(*events, done=finish is not None, **fields)


@cache
def _event(text: str | None, finish: str | None = None) -> str:
    return f"data: {json.dumps(chunk(text, finish))}\n\n"


def broken(pieces: Iterable[str], **fields: Any) -> MemoryReply:
    """Return a stream that ends after some pieces of text."""
    return reply(pieces, None, **fields)


def asked_of(request: Request) -> dict[str, Any]:
    """Return the body of a request."""
    body: dict[str, Any] = json.loads(request.body or b"")
    return body


def prefilled(request: Request) -> str | None:
    """Return the text that a request asks to go on with, or None."""
    texts = [each["content"] for each in asked_of(request)["messages"]]
    roles = [each["role"] for each in asked_of(request)["messages"]]
    return texts[roles.index("assistant")] if "assistant" in roles else None


@attrs.define
class Breaking:
    """A server whose first answer breaks, and whose second one goes on in a manner of its own.

    Attributes:
        text: The answer.
        anew: What a request to go on is answered with, from the text that came and the rest.
        cuts: After how many of the 200 pieces the first replies break; each one is used once.
        requests: What was asked.
    """

    text: str
    anew: Callable[[str, str], str]
    cuts: list[int] = attrs.field(factory=list)
    requests: list[Request] = attrs.field(factory=list)

    def __call__(self, request: Request) -> MemoryReply:
        """Answer a request."""
        self.requests.append(request)
        came = prefilled(request)
        if came is None:
            answer = self.text
        else:
            assert self.text.startswith(came), "what was asked to go on with never came"
            answer = self.anew(came, self.text[len(came) :])
        pieces = in_pieces(answer, 200) if came is None else [answer[:7], *_by_nine(answer[7:])]
        return broken(pieces[: self.cuts.pop(0)]) if self.cuts else reply(pieces)


def _by_nine(text: str) -> list[str]:
    return [text[start : start + 9] for start in range(0, len(text), 9)]


def streaming(colour: AnyColour, script: Any, **options: Any) -> Callable[..., Any]:
    """Return what opens streams through one client, which waits for nothing before a retry."""
    options = {"model": "m", "retry_delay": 0, **options}
    transport = options.pop("transport", None) or colour.memory(script)
    client = colour.client(transport=transport, **options)
    return lambda **asked: colour.stream(client, **asked)


def applied(events: Sequence[object]) -> str:
    """Return the text that a reader of events has, who does what restarts say."""
    text = ""
    for event in events:
        if isinstance(event, RestartEvent):
            text = text[: event.keep]
        elif isinstance(event, ContentEvent):
            text += event.text
    return text


def read(colour: AnyColour, stream: Any, reader: str) -> str:
    """Read a stream to its end in one of three ways, and return the text."""
    if reader == "text":
        return "".join(colour.text(stream))
    if reader == "chunks":
        return "".join(piece.text for piece in colour.chunks(stream))
    return applied(colour.events(stream))


READERS: Final = ("text", "chunks", "events")
