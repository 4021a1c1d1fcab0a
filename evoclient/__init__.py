"""evoclient: talk to chat APIs that speak the OpenAI dialect, in both colours.

Names are loaded on first use, so that ``import evoclient`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module

from ._version import __version__ as __version__

# The name that type checkers know; to import `typing` for it would be nine tenths of the cost.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from .aio.buffer import AsyncStreamBuffer as AsyncStreamBuffer
    from .aio.client import AsyncClient as AsyncClient
    from .aio.many import AsyncStreamGroup as AsyncStreamGroup
    from .aio.stream import AsyncStream as AsyncStream
    from .auth.base import Auth as Auth
    from .auth.base import NoAuth as NoAuth
    from .auth.base import TokenInfo as TokenInfo
    from .auth.bearer import Bearer as Bearer
    from .auth.key_pair import KeyPair as KeyPair
    from .endpoints.raw import APIResponse as APIResponse
    from .errors.tree import APIConnectionError as APIConnectionError
    from .errors.tree import APIError as APIError
    from .errors.tree import APIStatusError as APIStatusError
    from .errors.tree import APITimeoutError as APITimeoutError
    from .errors.tree import AuthenticationError as AuthenticationError
    from .errors.tree import BadRequestError as BadRequestError
    from .errors.tree import ClientClosedError as ClientClosedError
    from .errors.tree import ConflictError as ConflictError
    from .errors.tree import ContentFilterError as ContentFilterError
    from .errors.tree import ContextLengthExceededError as ContextLengthExceededError
    from .errors.tree import InsufficientCreditsError as InsufficientCreditsError
    from .errors.tree import InternalServerError as InternalServerError
    from .errors.tree import ModelNotFoundError as ModelNotFoundError
    from .errors.tree import NotFoundError as NotFoundError
    from .errors.tree import OverloadedError as OverloadedError
    from .errors.tree import PermissionDeniedError as PermissionDeniedError
    from .errors.tree import RateLimitError as RateLimitError
    from .errors.tree import ResponseDecodeError as ResponseDecodeError
    from .errors.tree import StreamDecodeError as StreamDecodeError
    from .errors.tree import StreamError as StreamError
    from .errors.tree import StreamInterruptedError as StreamInterruptedError
    from .errors.tree import StreamProviderError as StreamProviderError
    from .errors.tree import UnprocessableEntityError as UnprocessableEntityError
    from .ground import NOT_GIVEN as NOT_GIVEN
    from .ground import ConfigurationError as ConfigurationError
    from .ground import EvoClientError as EvoClientError
    from .ground import NotGiven as NotGiven
    from .limits import Limits as Limits
    from .models.chat import ChatCompletion as ChatCompletion
    from .models.chat import ChatMessage as ChatMessage
    from .models.chunks import ChatCompletionChunk as ChatCompletionChunk
    from .models.completions import Completion as Completion
    from .models.embeddings import CreateEmbeddingResponse as CreateEmbeddingResponse
    from .models.embeddings import Embedding as Embedding
    from .models.finish import Finish as Finish
    from .models.listing import Model as Model
    from .models.listing import ModelList as ModelList
    from .models.tools import ToolCall as ToolCall
    from .models.usage import Usage as Usage
    from .providers.base import Provider as Provider
    from .retry import Retry as Retry
    from .retry import RetryState as RetryState
    from .streaming.callbacks import Callbacks as Callbacks
    from .streaming.callbacks import Start as Start
    from .streaming.ending import Outcome as Outcome
    from .streaming.events import ContentEvent as ContentEvent
    from .streaming.events import ErrorEvent as ErrorEvent
    from .streaming.events import FinishEvent as FinishEvent
    from .streaming.events import KeepAliveEvent as KeepAliveEvent
    from .streaming.events import ReasoningEvent as ReasoningEvent
    from .streaming.events import RefusalEvent as RefusalEvent
    from .streaming.events import RestartEvent as RestartEvent
    from .streaming.events import RetryEvent as RetryEvent
    from .streaming.events import ToolCallDeltaEvent as ToolCallDeltaEvent
    from .streaming.events import ToolCallDoneEvent as ToolCallDoneEvent
    from .streaming.events import ToolCallStartEvent as ToolCallStartEvent
    from .streaming.events import UsageEvent as UsageEvent
    from .streaming.gathering import LabelledChunk as LabelledChunk
    from .streaming.metrics import StreamMetrics as StreamMetrics
    from .streaming.stopwatch import StreamingMetrics as StreamingMetrics
    from .sync.buffer import StreamBuffer as StreamBuffer
    from .sync.client import Client as Client
    from .sync.many import StreamGroup as StreamGroup
    from .sync.stream import Stream as Stream
    from .transports.memory import AsyncMemoryTransport as AsyncMemoryTransport
    from .transports.memory import MemoryReply as MemoryReply
    from .transports.memory import MemoryTransport as MemoryTransport
    from .wire import Headers as Headers
    from .wire import Response as Response
    from .wire import Timeouts as Timeouts

    omit = NOT_GIVEN

_ERRORS = "errors.tree"

#: Public name to the module that has it. A test compares this table with reality.
_HOMES = {
    "APIConnectionError": _ERRORS,
    "APIError": _ERRORS,
    "APIResponse": "endpoints.raw",
    "APIStatusError": _ERRORS,
    "APITimeoutError": _ERRORS,
    "AsyncClient": "aio.client",
    "AsyncMemoryTransport": "transports.memory",
    "AsyncStream": "aio.stream",
    "AsyncStreamBuffer": "aio.buffer",
    "AsyncStreamGroup": "aio.many",
    "Auth": "auth.base",
    "AuthenticationError": _ERRORS,
    "BadRequestError": _ERRORS,
    "Bearer": "auth.bearer",
    "Callbacks": "streaming.callbacks",
    "ChatCompletion": "models.chat",
    "ChatCompletionChunk": "models.chunks",
    "ChatMessage": "models.chat",
    "Client": "sync.client",
    "ClientClosedError": _ERRORS,
    "Completion": "models.completions",
    "ConfigurationError": "ground",
    "ConflictError": _ERRORS,
    "ContentEvent": "streaming.events",
    "ContentFilterError": _ERRORS,
    "ContextLengthExceededError": _ERRORS,
    "CreateEmbeddingResponse": "models.embeddings",
    "Embedding": "models.embeddings",
    "ErrorEvent": "streaming.events",
    "EvoClientError": "ground",
    "Finish": "models.finish",
    "FinishEvent": "streaming.events",
    "Headers": "wire",
    "InsufficientCreditsError": _ERRORS,
    "InternalServerError": _ERRORS,
    "KeepAliveEvent": "streaming.events",
    "KeyPair": "auth.key_pair",
    "LabelledChunk": "streaming.gathering",
    "Limits": "limits",
    "MemoryReply": "transports.memory",
    "MemoryTransport": "transports.memory",
    "Model": "models.listing",
    "ModelList": "models.listing",
    "ModelNotFoundError": _ERRORS,
    "NOT_GIVEN": "ground",
    "NoAuth": "auth.base",
    "NotFoundError": _ERRORS,
    "NotGiven": "ground",
    "Outcome": "streaming.ending",
    "OverloadedError": _ERRORS,
    "PermissionDeniedError": _ERRORS,
    "Provider": "providers.base",
    "RateLimitError": _ERRORS,
    "ReasoningEvent": "streaming.events",
    "RefusalEvent": "streaming.events",
    "Response": "wire",
    "ResponseDecodeError": _ERRORS,
    "RestartEvent": "streaming.events",
    "Retry": "retry",
    "RetryEvent": "streaming.events",
    "RetryState": "retry",
    "Start": "streaming.callbacks",
    "Stream": "sync.stream",
    "StreamBuffer": "sync.buffer",
    "StreamDecodeError": _ERRORS,
    "StreamError": _ERRORS,
    "StreamGroup": "sync.many",
    "StreamInterruptedError": _ERRORS,
    "StreamMetrics": "streaming.metrics",
    "StreamProviderError": _ERRORS,
    "StreamingMetrics": "streaming.stopwatch",
    "Timeouts": "wire",
    "TokenInfo": "auth.base",
    "ToolCall": "models.tools",
    "ToolCallDeltaEvent": "streaming.events",
    "ToolCallDoneEvent": "streaming.events",
    "ToolCallStartEvent": "streaming.events",
    "UnprocessableEntityError": _ERRORS,
    "Usage": "models.usage",
    "UsageEvent": "streaming.events",
}

__all__ = sorted([*_HOMES, "__version__", "omit"])


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name == "omit":
        return __getattr__("NOT_GIVEN")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return __all__
