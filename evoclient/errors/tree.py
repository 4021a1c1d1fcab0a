"""The whole error tree.

    EvoClientError
    ├── ConfigurationError (ValueError)      an argument or setting is wrong; nothing was sent
    ├── ClientClosedError (RuntimeError)     the client was used after close
    └── APIError                             something between us and the server
        ├── APIConnectionError               no reply, or a body that was cut
        │   └── APITimeoutError (TimeoutError)   one of the four limits has passed
        ├── APIStatusError                   the server said no
        │   ├── BadRequestError              400
        │   │   ├── ContextLengthExceededError
        │   │   └── ContentFilterError
        │   ├── AuthenticationError          401
        │   ├── InsufficientCreditsError     402
        │   ├── PermissionDeniedError        403
        │   ├── NotFoundError                404
        │   │   └── ModelNotFoundError
        │   ├── ConflictError                409
        │   ├── UnprocessableEntityError     422
        │   ├── RateLimitError               429
        │   └── InternalServerError          500 and above
        │       └── OverloadedError          503 and 529 where the server says it is overloaded
        ├── ResponseDecodeError              a whole answer that cannot be read
        └── StreamError                      a stream that went wrong after it was opened
            ├── StreamInterruptedError       cut, or ended without a finish reason
            ├── StreamDecodeError            not what a stream may hold
            └── StreamProviderError          the provider said so in the stream

Each error pickles, copies, and shows no secret. A library's exception is the `__cause__`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..ground import ConfigurationError, EvoClientError
from ..wire import Limit, Response

if TYPE_CHECKING:
    from ..models.chat import ChatCompletion

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "ConfigurationError",
    "ConflictError",
    "ContentFilterError",
    "ContextLengthExceededError",
    "EvoClientError",
    "InsufficientCreditsError",
    "InternalServerError",
    "ModelNotFoundError",
    "NotFoundError",
    "OverloadedError",
    "PermissionDeniedError",
    "RateLimitError",
    "ResponseDecodeError",
    "StreamDecodeError",
    "StreamError",
    "StreamInterruptedError",
    "StreamProviderError",
    "UnprocessableEntityError",
]


class ClientClosedError(EvoClientError, RuntimeError):
    """The client, or the transport in it, was used after it had been closed."""


class APIError(EvoClientError):
    """Something went wrong between us and the server.

    Attributes:
        partial: The completion so far, where an answer had begun; else None.
        response: Status, headers and the beginning of the body, where there was a reply.
        status_code: The status of the reply where that status is the error; else None.
        judged_as: The status that an error under 200 amounts to, where its code or kind tells;
            the status itself for an error status.
        code: The server's own code, as it sent it (a string, a number or None).
        body: What the server sent as the error: parsed where it is JSON, else text (at most
            64 KiB); None where there is none.
        retry_after: Seconds the server asked to wait, or None.
        advice: What the server (or a rule on its answer) says about trying again: True, False,
            or None where it says nothing.
    """

    def __init__(
        self,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        retryable: bool = False,
        request_id: str | None = None,
        provider: str | None = None,
        response: Response | None = None,
        status_code: int | None = None,
        judged_as: int | None = None,
        code: str | int | None = None,
        body: object = None,
        retry_after: float | None = None,
        advice: bool | None = None,
    ) -> None:
        """Keep the facts."""
        super().__init__(
            message,
            details=details,
            retryable=retryable,
            request_id=request_id or (response.request_id if response else None),
            provider=provider,
        )
        self.response = response
        self.status_code = status_code
        self.judged_as = judged_as
        self.code = code
        self.body = body
        self.retry_after = retry_after
        self.advice = advice
        self.partial: ChatCompletion | None = None

    @property
    def partial_text(self) -> str:
        """The text of choice 0 so far; empty where no answer had begun."""
        return "" if self.partial is None else self.partial.text


class APIConnectionError(APIError):
    """No reply could be had, or the body of a whole answer was cut."""

    def __init__(self, message: str, *, retryable: bool = True, **facts: Any) -> None:
        """Keep the facts; a connection may work the next time."""
        super().__init__(message, retryable=retryable, **facts)


class APITimeoutError(APIConnectionError, TimeoutError):
    """One of the four time limits has passed.

    Attributes:
        limit: Which of the limits of `Timeouts`: "connect", "first_chunk", "idle" or "total".
        seconds: Its length.
    """

    def __init__(self, message: str, *, limit: Limit, seconds: float, **facts: Any) -> None:
        """Keep which limit passed; past `total` nothing is tried again."""
        super().__init__(message, retryable=limit != "total", **facts)
        self.limit: Limit = limit
        self.seconds = seconds


class APIStatusError(APIError):
    """The server answered, and the answer is an error."""


class BadRequestError(APIStatusError):
    """400: the server does not accept the request as it is."""


class ContextLengthExceededError(BadRequestError):
    """The messages and the answer asked for do not fit the model's context."""


class ContentFilterError(BadRequestError):
    """The provider's filter or moderation refused the request."""


class AuthenticationError(APIStatusError):
    """401: the key or token is missing, wrong, or expired."""


class InsufficientCreditsError(APIStatusError):
    """402, or a quota that is used up: the account must be topped up."""


class PermissionDeniedError(APIStatusError):
    """403: the key is known but may not do this."""


class NotFoundError(APIStatusError):
    """404: there is nothing at this URL."""


class ModelNotFoundError(NotFoundError):
    """The server does not know, or no longer serves, the model."""


class ConflictError(APIStatusError):
    """409: the request is in conflict with another."""


class UnprocessableEntityError(APIStatusError):
    """422: the request is well-formed but not valid."""


class RateLimitError(APIStatusError):
    """429: too many requests or tokens; `retry_after` says how long to wait, where known."""


class InternalServerError(APIStatusError):
    """500 and above: the server failed."""


class OverloadedError(InternalServerError):
    """The provider has no capacity at the moment."""


class ResponseDecodeError(APIError):
    """A whole answer that cannot be read: not JSON, not an object, not a completion, or cut."""


class StreamError(APIError):
    """A stream went wrong after it was opened; `partial` has what had arrived."""


class StreamInterruptedError(StreamError):
    """The connection was cut, or the stream ended without a finish reason.

    Attributes:
        departed: Where a stream was begun anew and gave another answer: what came of that one,
            beside `partial`. Else None.
    """

    departed: ChatCompletion | None = None


class StreamDecodeError(StreamError):
    """The stream holds what a stream may not hold."""


class StreamProviderError(StreamError):
    """The provider reported an error inside the stream; `body` is its error object."""
