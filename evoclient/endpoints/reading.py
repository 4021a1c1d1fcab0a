"""How an answer of text is read: options that the chat and text endpoints share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, TypedDict, get_args

from ..ground import NOT_GIVEN, ConfigurationError, NotGiven
from ..providers.base import Provider
from ..streaming.callbacks import NAMES, Callbacks, Functions
from .base import Reading, mapping

__all__ = ["ReadingOptions", "Recover", "StopMode", "callbacks_given", "reading_options"]

#: Who ends an answer at a stop sequence.
StopMode: TypeAlias = Literal["both", "server", "client"]

#: What follows where a stream breaks after its first chunk: the error, the same question again,
#: a request to go on, or the models to ask instead, in their order.
Recover: TypeAlias = Literal["raise", "restart", "continue"] | Sequence[str]

_STOP_MODES: Final[tuple[str, ...]] = get_args(StopMode)
_RECOVERIES: Final = ("raise", "restart", "continue")

#: Options of a client that a copy of it may change.
_OF_A_COPY: Final = frozenset(
    {
        "default_headers",
        "default_query",
        "limits",
        "max_retries",
        "retry",
        "retry_delay",
        "slow_after",
    }
)

#: Options of a client that no server has for a parameter.
_OF_THE_CLIENT: Final = _OF_A_COPY | {
    "api_key",
    "auth",
    "base_url",
    "cert",
    "key_id",
    "max_event_bytes",
    "project_id",
    "secret",
    "token_url",
    "transport",
    "verify",
}

#: The keywords that register a callback for one call.
_CALLBACKS: Final = tuple(f"on_{name}" for name in NAMES)

#: The keywords that say who hears of a call.
_HEARING: Final = frozenset({"callbacks", *_CALLBACKS})


class ReadingOptions(TypedDict, total=False):
    """How the answer is read: keyword arguments of the chat and text endpoints.

    Attributes:
        stop_mode: Who ends the answer at a sequence of `stop`: "both" (default) sends them, as
            many as the server takes, and ends the answer here as well; "server" only sends them;
            "client" only ends it here.
        accumulate: Whether a stream keeps what it has given out. Default True; without it,
            `completion` has no text, and memory does not grow.
        recover: What to do when a stream breaks after its first chunk: "raise" (default),
            "restart", "continue", or a list of models to go on with, one after another.
        callbacks: Functions that hear of the call, after those of the client.
        on_start: One function or several, as in `Callbacks`, for this call; the same for the
            other names that begin with ``on_``.
        on_chunk: See `on_start`.
        on_text: See `on_start`.
        on_tool_call_chunk: See `on_start`.
        on_finish: See `on_start`.
        on_error: See `on_start`.
        on_retry: See `on_start`.
    """

    stop_mode: StopMode
    accumulate: bool
    recover: Recover
    callbacks: Callbacks | NotGiven | None
    on_start: Functions | None
    on_chunk: Functions | None
    on_text: Functions | None
    on_tool_call_chunk: Functions | None
    on_finish: Functions | None
    on_error: Functions | None
    on_retry: Functions | None


def reading_options(body: dict[str, Any], provider: Provider) -> Reading:
    """Take the options of reading out of the keyword arguments of a call, and check them.

    Args:
        body: The keyword arguments; the options are removed, and `stop` is made what the server
            is to be sent.
        provider: The preset.

    Raises:
        ConfigurationError: One of them is wrong; it is named.
    """
    reading = Reading(
        stops=_stops(body, body.pop("stop_mode", "both"), provider),
        split_think=bool(body.pop("split_think", False)),
        accumulate=bool(body.pop("accumulate", True)),
        recover=_recover(body.pop("recover", "raise")),
        callbacks=_callbacks(body),
    )
    _refuse_strangers(body)
    if reading.recover != "raise" and not reading.accumulate:
        raise ConfigurationError(
            "recover needs what was streamed, and accumulate=False keeps nothing: leave one of "
            "them out.",
            argument="recover",
        )
    return reading


def _refuse_strangers(body: Mapping[str, Any]) -> None:
    """Refuse keywords that no server knows, and that would go to it without a word.

    Raises:
        ConfigurationError: One is an option of the client, or a misspelt callback.
    """
    for name in body:
        if name in _OF_THE_CLIENT:
            raise ConfigurationError(
                f"{name} is an option of the client, not of a call: for one call, use "
                f"client.with_options({name}=…).chat…"
                if name in _OF_A_COPY
                else f"{name} is an option of the client, not of a call: pass it to Client(…).",
                argument=name,
            )
        if name.startswith("on_") and callable(body[name]):
            raise ConfigurationError(
                f"{name}: there is no such callback. There are {', '.join(_CALLBACKS)}.",
                argument=name,
            )


def callbacks_given(given: object) -> Callbacks | None:
    """Return the callbacks that a user gave, or None.

    Args:
        given: `Callbacks`, or a mapping of its arguments.

    Raises:
        ConfigurationError: They are something else.
    """
    if given is None or given is NOT_GIVEN:
        return None
    if isinstance(given, Callbacks):
        return given
    unknown = [name for name in mapping(given, "callbacks") if name not in _CALLBACKS]
    if not unknown:
        return Callbacks(**mapping(given, "callbacks"))
    raise ConfigurationError(
        f"callbacks: there is no {unknown[0]!r}. There are {', '.join(_CALLBACKS)}.",
        argument="callbacks",
    )


def _callbacks(body: dict[str, Any]) -> tuple[Callbacks, ...]:
    if body.keys().isdisjoint(_HEARING):
        return ()
    shared = callbacks_given(body.pop("callbacks", None))
    single = {name: body.pop(name) for name in _CALLBACKS if name in body}
    own = Callbacks(**single) if any(single.values()) else None
    return tuple(found for found in (shared, own) if found is not None)


def _stops(body: dict[str, Any], mode: object, provider: Provider) -> tuple[str, ...]:
    """Return the sequences to stop at here, and leave in the body those for the server."""
    if mode not in _STOP_MODES:
        raise ConfigurationError(
            f"stop_mode must be one of {', '.join(_STOP_MODES)}; it is {mode!r}.",
            argument="stop_mode",
        )
    stops = _sequences(body.get("stop"))
    most = provider.stop_sequences
    is_too_many = most is not None and len(stops) > most
    if mode == "server":
        if is_too_many:
            raise ConfigurationError(
                f"stop: {len(stops)} sequences are more than the {most} that {provider.name} "
                "takes. Pass stop_mode=“both” to have the client look for all of them.",
                argument="stop",
            )
        return ()
    if mode == "client":
        body.pop("stop", None)
    elif stops and not isinstance(body["stop"], str):
        body["stop"] = list(stops[:most])
    return stops


def _sequences(given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    sequences = _texts([given] if isinstance(given, str) else given)
    if sequences is None:
        raise ConfigurationError(
            f"stop must be a text or a list of texts that are not empty; it is {given!r:.80}.",
            argument="stop",
        )
    return tuple(dict.fromkeys(sequences))


def _texts(given: object) -> tuple[str, ...] | None:
    """Return a list of texts, none of them empty; None where it is something else."""
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes, bytearray)):
        return None
    return tuple(given) if all(isinstance(one, str) and one for one in given) else None


def _recover(given: object) -> str | tuple[str, ...]:
    if isinstance(given, str) and given in _RECOVERIES:
        return given
    if models := _texts(given):
        return models
    raise ConfigurationError(
        f"recover must be one of {', '.join(_RECOVERIES)}, or a list of models to go on with, "
        f"such as [“small”, “large”]; it is {given!r:.80}.",
        argument="recover",
    )
