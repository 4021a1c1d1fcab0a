"""A key, sent as ``Authorization: Bearer …``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from ..ground import ConfigurationError
from ..steps import Flow, call
from ..wire import Deadline, Headers
from .base import Auth, Sender

__all__ = ["ApiKey", "Bearer"]

#: A key, or a function that returns one; in an `AsyncClient` it may be a coroutine function.
ApiKey: TypeAlias = str | Callable[[], str] | Callable[[], Awaitable[str]]


class Bearer(Auth):
    """Sends a fixed key, or one that a function gives before each attempt.

    The key is stripped. It shows in no repr, and the object refuses to be pickled.
    """

    __slots__ = ("_function", "_headers")

    def __init__(self, api_key: ApiKey) -> None:
        """Take the key or the function.

        Args:
            api_key: The key, or a function without arguments that returns it. A function that
                blocks is fine: an `AsyncClient` runs it in a thread.

        Raises:
            ConfigurationError: The key may not be sent.
        """
        problem = None if callable(api_key) else _problem(api_key)
        self._function = None if isinstance(api_key, str) else api_key
        self._headers = _bearing(api_key) if isinstance(api_key, str) else Headers()
        if problem is not None:
            del api_key, self._headers  # tracebacks show what a frame holds
            raise ConfigurationError(problem, argument="api_key")

    def authorise(self, send: Sender, until: Deadline | None) -> Flow[Headers]:
        """Return the header with the key.

        Raises:
            ConfigurationError: The function gave something that may not be sent.
        """
        if self._function is None:
            return self._headers
        return _headers((yield from call(self._function)))

    def __repr__(self) -> str:
        """Show the kind of key, never the key."""
        return f"Bearer({'***' if self._function is None else 'a function'})"

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse: a pickle would hold the key.

        Raises:
            TypeError: Always.
        """
        raise TypeError("Bearer holds a key and is not pickled; make a new one where it is needed.")


def _headers(api_key: object) -> Headers:
    """Return the header for a key that a function gave.

    Raises:
        ConfigurationError: It may not be sent. The message does not show it.
    """
    problem = _problem(api_key)
    if problem is None:
        return _bearing(str(api_key))
    raise ConfigurationError(problem, argument="api_key")


def _bearing(api_key: str) -> Headers:
    return Headers([("Authorization", f"Bearer {api_key.strip()}")])


def _problem(api_key: object) -> str | None:
    """Say why a key may not be sent, if so: it is no string, empty, or unfit for a header."""
    if not isinstance(api_key, str):
        kind = type(api_key).__name__
        return f"api_key must be a string, or a function that returns one; it is of type {kind}."
    if not api_key.strip():
        return "api_key is empty."
    if not api_key.strip().isascii() or not api_key.strip().isprintable():
        return (
            "api_key holds a line end, a control character, or a character beyond ASCII. (It is "
            "not shown here.)"
        )
    return None
