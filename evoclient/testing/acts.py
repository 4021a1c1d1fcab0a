"""What a fault server does with a connection, as data: acts, and the faults made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ..ground import ConfigurationError

__all__ = [
    "Act",
    "Close",
    "Drip",
    "Fault",
    "HalfClose",
    "Receive",
    "Repeat",
    "Reset",
    "Send",
    "Wait",
]


@dataclass(frozen=True)
class Send:
    """Send bytes as they are.

    Attributes:
        data: The bytes, head and framing included.
    """

    data: bytes


@dataclass(frozen=True)
class Drip:
    """Send bytes one by one.

    Attributes:
        data: The bytes.
        every: Seconds before each further byte.
    """

    data: bytes
    every: float = 0.001


@dataclass(frozen=True)
class Repeat:
    """Send the same bytes again and again.

    Attributes:
        data: The bytes.
        times: How often; None sends them until the client goes.
        every: Seconds between two of them.
    """

    data: bytes
    times: int | None = None
    every: float = 0.0


@dataclass(frozen=True)
class Wait:
    """Do nothing for a while, or until the client goes.

    Attributes:
        seconds: How long.
    """

    seconds: float = 60.0


@dataclass(frozen=True)
class Receive:
    """Receive something, whatever it is; no request is made of it."""


@dataclass(frozen=True)
class HalfClose:
    """Say that nothing more is sent, and go on receiving."""


@dataclass(frozen=True)
class Reset:
    """End the connection by a reset."""


@dataclass(frozen=True)
class Close:
    """End the connection as one should."""


Act: TypeAlias = Send | Drip | Repeat | Wait | Receive | HalfClose | Reset | Close

_ACTS = (Send, Drip, Repeat, Wait, Receive, HalfClose, Reset, Close)


@dataclass(frozen=True)
class Fault:
    """What a fault server does.

    Attributes:
        answers: The acts that answer the first request, those that answer the second, and so on,
            whichever connection they come on; the last ones answer all further requests. A
            connection that no act has ended waits for its next request.
        greeting: The acts with which each connection begins, before anything is received.
        reads: Whether the whole request is received before it is answered, or its head alone.
    """

    answers: tuple[tuple[Act, ...], ...] = ((),)
    greeting: tuple[Act, ...] = ()
    reads: Literal["whole", "head"] = field(default="whole", kw_only=True)

    def __post_init__(self) -> None:
        """Refuse what is no act.

        Raises:
            ConfigurationError: Something is no act, or there is no answer.
        """
        if not self.answers:
            raise ConfigurationError("A fault needs at least one answer.", argument="answers")
        for acts in (*self.answers, self.greeting):
            check_acts(acts)

    def replacing(self, old: bytes, new: bytes) -> Fault:
        """Return the same fault with other bytes in what it sends, such as an address."""

        def changed(acts: tuple[Act, ...]) -> tuple[Act, ...]:
            return tuple(_replaced(act, old, new) for act in acts)

        answers = tuple(changed(acts) for acts in self.answers)
        return Fault(answers, changed(self.greeting), reads=self.reads)


def check_acts(acts: Any) -> tuple[Act, ...]:
    """Return acts, or say what is none.

    Raises:
        ConfigurationError: Something is no act.
    """
    for act in acts:
        if not isinstance(act, _ACTS):
            raise ConfigurationError(
                f"{act!r} is no act; acts are {', '.join(kind.__name__ for kind in _ACTS)} of "
                "evoclient.testing.acts.",
                argument="acts",
            )
    return tuple(acts)


def _replaced(act: Act, old: bytes, new: bytes) -> Act:
    match act:
        case Send(data):
            return Send(data.replace(old, new))
        case Drip(data, every):
            return Drip(data.replace(old, new), every)
        case Repeat(data, times, every):
            return Repeat(data.replace(old, new), times, every)
        case _:
            return act
