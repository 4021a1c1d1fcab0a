"""Replies that are made up instead of fetched, and the order they come in."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from ..errors.tree import APIConnectionError
from ..ground import ConfigurationError, elide
from ..wire import Headers, Request
from .answers import completion, content_of, friendly, stream_events

__all__ = ["MemoryReply", "Script", "ScriptLike"]

_JSON: Final = {"Content-Type": "application/json"}
_SSE: Final = {"Content-Type": "text/event-stream"}


def _headers(given: Mapping[str, str] | Headers) -> Headers:
    """Return headers in our form."""
    return given if isinstance(given, Headers) else Headers(given)


def _pieces(given: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return pieces in a form that does not change."""
    return tuple(given)


def _pauses(given: float | Iterable[float]) -> tuple[float, ...] | float:
    """Return pauses in a form that does not change."""
    return float(given) if isinstance(given, (int, float)) else tuple(given)


@attrs.frozen(kw_only=True)
class MemoryReply:
    """A reply of the memory transport.

    Attributes:
        status: The status code.
        headers: The header fields.
        pieces: The body, as it arrives piece by piece.
        pause_before: Seconds before the head comes.
        pauses: Seconds before each piece: one number for all, or one for each.
        error: What is raised in the course of it, or None.
        error_after: After how many pieces it is raised; None: instead of the reply.
    """

    status: int = 200
    headers: Headers = attrs.field(factory=Headers, converter=_headers)
    pieces: tuple[bytes, ...] = attrs.field(default=(), converter=_pieces)
    pause_before: float = 0.0
    pauses: tuple[float, ...] | float = attrs.field(default=0.0, converter=_pauses)
    error: Exception | None = None
    error_after: int | None = None

    @classmethod
    def json(cls, value: object, status: int = 200, **fields: Any) -> MemoryReply:
        """Return a reply whose body is a value as JSON; `fields` are those of the class."""
        fields.setdefault("headers", _JSON)
        return cls(status=status, pieces=(json.dumps(value).encode(),), **fields)

    @classmethod
    def stream(
        cls, *events: Mapping[str, Any] | str, done: bool = True, **fields: Any
    ) -> MemoryReply:
        """Return a stream of server-sent events, one piece for each.

        Args:
            events: Mappings become ``data: {…}``; strings are sent as they are.
            done: Whether ``data: [DONE]`` follows.
            fields: Those of the class.
        """
        fields.setdefault("headers", _SSE)
        texts = [
            event if isinstance(event, str) else f"data: {json.dumps(event)}\n\n"
            for event in events
        ]
        if done:
            texts.append("data: [DONE]\n\n")
        return cls(pieces=tuple(text.encode() for text in texts), **fields)

    @classmethod
    def text(cls, text: str, *, model: str | None = None, **fields: Any) -> MemoryReply:
        """Return a whole answer of a chat model, streamed if the request asks for it.

        Args:
            text: What the model says.
            model: Its name; None takes that of the request.
            fields: Those of the class.
        """
        return _TextReply(text=text, model=model, fields=fields)

    def for_request(self, request: Request) -> MemoryReply:
        """Return the reply as it is for one request."""
        return self

    def pause(self, number: int) -> float:
        """Return the seconds before a piece."""
        if isinstance(self.pauses, float):
            return self.pauses
        return self.pauses[number] if number < len(self.pauses) else 0.0

    def failure(self) -> Exception | None:
        """Return a copy of the error, since one that was raised is changed by it."""
        return copy.copy(self.error)


@attrs.frozen(kw_only=True)
class _TextReply(MemoryReply):
    """A text, in the form that a request asks for."""

    _text: str = ""
    _model: str | None = None
    _fields: dict[str, Any] = attrs.field(factory=dict)

    def for_request(self, request: Request) -> MemoryReply:
        """Return the text as a stream or as a whole."""
        asked = content_of(request)
        model = self._model or str(asked.get("model") or "mock")
        if asked.get("stream"):
            events = stream_events(self._text, model, with_usage=_wants_usage(asked))
            return MemoryReply.stream(*events, **self._fields)
        return MemoryReply.json(completion(self._text, model), **self._fields)


def _wants_usage(asked: Mapping[str, Any]) -> bool:
    """Whether a request asks for a chunk with the usage."""
    options = asked.get("stream_options")
    return isinstance(options, Mapping) and bool(options.get("include_usage"))


#: What a memory transport takes: replies in order, or a function that chooses one.
ScriptLike = Sequence[MemoryReply] | Callable[[Request], MemoryReply]


class Script:
    """Replies in order, or as a function chooses them; several transports may share one."""

    def __init__(self, source: ScriptLike | None = None) -> None:
        """Take the replies; without any, every request is answered in a friendly way.

        Raises:
            ConfigurationError: `source` is no script.
        """
        self._choose = source if callable(source) else None
        self._replies = [] if source is None or callable(source) else _replies(source)
        self._next = 0
        self._lock = threading.Lock()

    def reply_to(self, request: Request) -> MemoryReply:
        """Return the reply to a request.

        Raises:
            APIConnectionError: The script has come to its end.
        """
        if self._choose is not None:
            return self._choose(request).for_request(request)
        if not self._replies:
            return _friendly(request)
        with self._lock:
            number = self._next
            self._next += 1
        if number >= len(self._replies):
            count = len(self._replies)
            raise APIConnectionError(
                f"The script of the memory transport has {count} "
                f"{'reply' if count == 1 else 'replies'}, and "
                f"{request.method} {request.url} is request number {number + 1}. Add a reply, or "
                "look why there are more requests than you thought.",
                retryable=False,
            )
        return self._replies[number].for_request(request)


def _replies(source: object) -> list[MemoryReply]:
    """Return the replies of a script.

    Raises:
        ConfigurationError: It is no list of replies.
    """
    if isinstance(source, str | bytes | Mapping) or not isinstance(source, Iterable):
        raise _no_script(f"it is {_shown(source)}")
    replies = list(source)
    for number, reply in enumerate(replies, 1):
        if not isinstance(reply, MemoryReply):
            raise _no_script(f"number {number} of the list is {_shown(reply)}")
    return replies


def _no_script(problem: str) -> ConfigurationError:
    return ConfigurationError(
        "The script of a memory transport is a list of replies, such as "
        '[MemoryReply.text("Hello")], or a function that takes the request and returns a reply; '
        f"{problem}.",
        argument="script",
    )


def _shown(value: object) -> str:
    """Return what stands in an error for a value: a reply may be long."""
    return "one reply, not a list" if isinstance(value, MemoryReply) else elide(repr(value), 60)


def _friendly(request: Request) -> MemoryReply:
    """Answer without a script: chats, and the list of models."""
    path = request.url.partition("?")[0].rstrip("/")
    if request.method == "GET" and path.endswith("/models"):
        model = {"id": "mock", "object": "model", "created": 0, "owned_by": "evoclient"}
        return MemoryReply.json({"object": "list", "data": [model]})
    if "messages" in content_of(request):
        return MemoryReply.text(friendly()).for_request(request)
    message = f"The memory transport has no script, and no answer to {request.method} {path}."
    return MemoryReply.json({"error": {"message": message, "code": "not_found"}}, status=404)
