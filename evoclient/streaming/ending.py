"""How a stream ended, and whether that is an error."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal, TypeAlias, get_args

import attrs

from ..errors.tree import APIError, APITimeoutError, StreamError, StreamInterruptedError
from ..models.chat import ChatCompletion

__all__ = ["INCOMPLETE_WORDS", "End", "Incomplete", "Outcome", "departed", "interrupted"]


class Outcome(StrEnum):
    """How a stream ended. Each member equals its name as a string."""

    complete = "complete"  #: Every choice seen has a finish reason.
    unconfirmed = "unconfirmed"  #: The end marker came, but not every choice has a finish reason.
    stopped = "stopped"  #: A client-side stop ended it.
    cancelled = "cancelled"  #: It was closed before its end.
    truncated = "truncated"  #: It was cut, or ended without a finish reason.
    failed = "failed"  #: A provider's error, a limit that passed, or rubbish.


#: What to do with a stream that ends without a finish reason: "raise" an error where it was
#: truncated (unconfirmed ends are logged), "accept" both (logged), or be "strict" and raise for
#: both.
Incomplete: TypeAlias = Literal["raise", "accept", "strict"]


INCOMPLETE_WORDS: Final[tuple[Incomplete, ...]] = get_args(Incomplete)


@attrs.frozen(eq=False)
class End:
    """The end of a stream.

    Attributes:
        outcome: How it ended.
        error: What is raised to the reader, or None.
    """

    outcome: Outcome
    error: APIError | None = None


def interrupted(cause: APIError | None, has_begun: bool, beginning: str) -> APIError:
    """Return the error for a body that ended before the stream did.

    Args:
        cause: Why reading failed; None where the body simply ended.
        has_begun: Whether a chunk had come.
        beginning: The first characters of the body, for the message.
    """
    if isinstance(cause, (APITimeoutError, StreamError)):
        return cause
    if cause is not None:
        error = StreamInterruptedError(f"The stream was cut: {cause.message}", retryable=True)
        error.__cause__ = cause.__cause__ or cause
        return error
    if has_begun:
        return StreamInterruptedError(
            "The stream ended without a finish reason and without [DONE]: the answer is "
            "probably short. What came is in `partial`. Pass incomplete=“accept” to create() if "
            "this server always ends so.",
            retryable=True,
        )
    return StreamInterruptedError(
        "The stream ended before it began: the body held no chunk"
        + (f", but began with {beginning!r}" if beginning else "")
        + ". Try again; if it stays so, look at the server, or ask without stream=True.",
        retryable=True,
    )


def departed(
    handed: ChatCompletion | None, departs: ChatCompletion, keep: int
) -> StreamInterruptedError:
    """Return the error for a second answer that is not the one of which a part was handed out.

    Args:
        handed: What was handed out of the first answer.
        departs: What has come of the second one.
        keep: How many characters of the content they have in common.
    """
    error = StreamInterruptedError(
        "The stream broke, and the answer to the second request departs from what was handed out "
        f"(the first {keep} characters of the text are the same). Both are kept: `partial` is the "
        "first one, `departed` the second. Two answers are not printed as one: read "
        "stream.events(), which tells what of the text is void, or leave recover= out and handle "
        "the break yourself.",
        advice=False,
    )
    error.partial, error.departed = handed, departs
    return error
