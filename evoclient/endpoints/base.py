"""A call: what is asked of a server, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypedDict, TypeVar

import attrs

from ..ground import NOT_GIVEN, ConfigurationError, NotGiven
from ..streaming.callbacks import Callbacks
from ..streaming.ending import INCOMPLETE_WORDS, Incomplete
from ..streaming.shapes import CHAT, Shape
from ..wire import Response, Timeouts, check_header

__all__ = [
    "Call",
    "CallOptions",
    "Reading",
    "RequestOptions",
    "Series",
    "call_options",
    "timeouts_of",
]

_T = TypeVar("_T")
_U = TypeVar("_U")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CallOptions:
    """What a user may set for one call.

    Attributes:
        headers: Headers on top of the client's; a value of None takes one away.
        query: Parameters on top of the client's.
        timeout: A number (`first_chunk` and `idle`) or all limits; None: the client's.
        incomplete: What to do with a stream that ends without a finish reason.
    """

    headers: Mapping[str, str | None] = attrs.field(factory=dict, repr=False)
    query: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    timeout: float | Timeouts | None = None
    incomplete: Incomplete = "raise"


#: Of a call for which nothing is set.
NO_OPTIONS: Final = CallOptions()

_CALL_OPTIONS: Final = frozenset({"timeout", "extra_headers", "extra_query", "incomplete"})


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Reading:
    """How an answer is read.

    Attributes:
        stops: The stop sequences that end the answer here.
        split_think: Whether ``<think>`` blocks of the content are reasoning.
        accumulate: Whether a stream keeps what it has given out.
        recover: "raise", "restart", "continue", or the models to go on with.
        callbacks: Who hears of the call.
    """

    stops: tuple[str, ...] = ()
    split_think: bool = False
    accumulate: bool = True
    recover: str | tuple[str, ...] = "raise"
    callbacks: tuple[Callbacks, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Call(Generic[_T]):
    """One call.

    Attributes:
        method: The HTTP method.
        path: The path below the base URL.
        body: The JSON object to send, or None.
        read: Makes the result of the parsed answer and its reply.
        choices: How many choices are asked for.
        shape: What is streamed, where the answer is streamed.
        may_be_empty: Whether an answer without a body is a good one, which is read as None.
        is_announced: Whether callbacks hear of it: the result is a completion.
        reading: How the answer is read.
        options: What the user set for this call.
    """

    method: str
    path: str
    read: Callable[[Any, Response], _T]
    body: dict[str, Any] | None = attrs.field(default=None, repr=False)
    choices: int = 1
    shape: Shape = CHAT
    may_be_empty: bool = False
    is_announced: bool = False
    reading: Reading = Reading()
    options: CallOptions = NO_OPTIONS


@attrs.frozen(eq=False, repr=False)
class Series(Generic[_T, _U]):
    """Several calls that are made one after another, and make one result.

    Attributes:
        calls: The calls, at least one.
        join: Makes the result of theirs, which come in the same order.
    """

    calls: list[Call[_T]]
    join: Callable[[list[_T]], _U] = attrs.field(repr=False)


class RequestOptions(TypedDict, total=False):
    """The keyword arguments of calls that send no body.

    Attributes:
        timeout: A number of seconds (`first_chunk` and `idle`) or `Timeouts`, for this call.
        extra_headers: Headers for this call; a value of None takes one of the client's away.
        extra_query: Query parameters for this call.
    """

    timeout: float | Timeouts | NotGiven | None
    extra_headers: Mapping[str, str | None] | None
    extra_query: Mapping[str, str | int | float | bool] | None


def call_options(given: dict[str, Any]) -> CallOptions:
    """Take the options of a call out of its keyword arguments, and check them.

    Args:
        given: The keyword arguments; those that are options are removed.

    Raises:
        ConfigurationError: One of them is wrong.
    """
    if given.keys().isdisjoint(_CALL_OPTIONS):
        return NO_OPTIONS
    timeout = given.pop("timeout", None)
    return CallOptions(
        headers=checked_headers(given.pop("extra_headers", None), "extra_headers"),
        query=checked_query(given.pop("extra_query", None), "extra_query"),
        timeout=None if timeout is NOT_GIVEN else timeout,
        incomplete=_incomplete(given.pop("incomplete", None)),
    )


def request_options(given: Mapping[str, Any]) -> CallOptions:
    """Return the options of a call that sends no body.

    Args:
        given: The keyword arguments (`RequestOptions`).

    Raises:
        ConfigurationError: One of them is wrong, or is no such option.
    """
    rest = dict(given)
    options = call_options(rest)
    for name in rest:
        raise ConfigurationError(
            f"{name}: there is no such argument. Parameters of the query go into extra_query, and "
            "what a body holds into body, where there is one.",
            argument=name,
        )
    return options


def _incomplete(given: object) -> Incomplete:
    for word in INCOMPLETE_WORDS:
        if given == word:
            return word
    if given is None or given is NOT_GIVEN:
        return "raise"
    raise ConfigurationError(
        f"incomplete must be one of {', '.join(INCOMPLETE_WORDS)}; it is {given!r}.",
        argument="incomplete",
    )


def checked_headers(given: object, argument: str) -> dict[str, str | None]:
    """Return headers that may be sent.

    Args:
        given: A mapping of names to values, or None. A value of None takes a header away.
        argument: The argument that they came from, for the message.

    Raises:
        ConfigurationError: It is no mapping, or a name or value may not be sent.
    """
    return {
        name: None if value is None else check_header(name, value, argument)[1]
        for name, value in mapping(given, argument).items()
    }


def checked_query(given: object, argument: str) -> dict[str, str]:
    """Return query parameters as strings.

    Args:
        given: A mapping of names to strings, numbers or booleans, or None.
        argument: The argument that they came from, for the message.

    Raises:
        ConfigurationError: It is no mapping, or a value is of another type.
    """
    parameters = mapping(given, argument)
    return {name: _parameter(name, value, argument) for name, value in parameters.items()}


def _parameter(name: str, value: object, argument: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int, float)):
        raise ConfigurationError(
            f"{argument}: the parameter {name!r} must be a string, a number or a boolean.",
            argument=argument,
        )
    return str(value)


def mapping(given: object, argument: str) -> Mapping[str, Any]:
    """Return a mapping that a user gave, or an empty one for None.

    Args:
        given: A mapping of names to values, None or NOT_GIVEN.
        argument: The argument that it came from, for the message.

    Raises:
        ConfigurationError: It is no mapping, or a name is no string.
    """
    if given is None or given is NOT_GIVEN:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise ConfigurationError(
            f"{argument} must be a mapping of names to values.", argument=argument
        )
    return given


def timeouts_of(given: object, default: Timeouts) -> Timeouts:
    """Return the limits that a `timeout` argument means.

    Args:
        given: None or NOT_GIVEN (the default), a number of seconds for `first_chunk` and
            `idle`, or `Timeouts`.
        default: The limits where nothing is given, and for what a number does not set.

    Raises:
        ConfigurationError: It is something else, or not above 0.
    """
    if given is None or given is NOT_GIVEN:
        return default
    if isinstance(given, Timeouts):
        return given
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return attrs.evolve(default, first_chunk=given, idle=given)
    raise ConfigurationError(
        f"timeout must be a number of seconds or Timeouts(…); it is {given!r}.",
        argument="timeout",
    )
