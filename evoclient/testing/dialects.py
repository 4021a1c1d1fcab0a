"""How providers differ from OpenAI on the wire, as one table.

A dialect is data: steps over the ordinary chunks, steps over the whole completion, the form of its
errors, and a few habits. A new provider is a new entry, and perhaps a new step.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import dialect_extras as extras
from . import dialect_steps as steps
from .chunks import Record
from .dialect_steps import Records, Scene, Step

__all__ = ["DIALECTS", "OPENAI", "Dialect"]


def _openai_error(code: int, message: str) -> Record:
    kind = "invalid_request_error" if code < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def _openrouter_error(code: int, message: str) -> Record:
    return {"error": {"code": code, "message": message, "metadata": {"error_type": "unmapped"}}}


def _vllm_error(code: int, message: str) -> Record:
    kind = "BadRequestError" if code < 500 else "InternalServerError"
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _llamacpp_error(code: int, message: str) -> Record:
    kind = "invalid_request_error" if code < 500 else "server_error"
    return {"error": {"code": code, "message": message, "type": kind}}


@dataclass(frozen=True)
class Dialect:
    """What one provider does differently.

    Attributes:
        name: The name it is played by.
        streamed: Steps over the chunks of a stream.
        whole: Steps over a completion sent whole.
        error: The body of an error, from a status and a message.
        in_stream_error: The form of an error inside a stream, a name of `faults.ERROR_EVENTS`.
        thinks: Whether it reasons without being asked.
        keep_alive: The text of its keep-alive comments.
        id_prefix: How the ids of its completions begin.
    """

    name: str
    streamed: tuple[Step, ...] = ()
    whole: tuple[Step, ...] = ()
    error: Callable[[int, str], Record] = _openai_error
    in_stream_error: str = "openai"
    thinks: bool = False
    keep_alive: str | None = None
    id_prefix: str = "chatcmpl-"

    def apply(self, records: Records, scene: Scene) -> Records:
        """Run the steps for chunks, or those for a whole completion."""
        for step in self.streamed if scene.question.stream else self.whole:
            records = step(records, scene)
        return records


def _as_object(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:  # max_tokens cut them
        return arguments


_ROLE = {"role": "assistant", "content": ""}
_SIGNED = {"google": {"thought_signature": "c2lnbmF0dXJl"}}

OPENAI = Dialect("openai")

# Role on every chunk, native reasons, usage with its cost at the end, asked for or not.
_OPENROUTER = Dialect(
    "openrouter",
    streamed=(
        steps.without("refusal"),
        steps.thinking("reasoning", "reasoning_details", content=""),
        steps.on_deltas(role="assistant"),
        steps.on_records(provider="Demo"),
        extras.native_finish,
        extras.cost_always,
    ),
    whole=(
        steps.thinking("reasoning", "reasoning_details"),
        steps.on_records(provider="Demo"),
        extras.native_finish,
        extras.cost_always,
    ),
    error=_openrouter_error,
    in_stream_error="openrouter",
    keep_alive="OPENROUTER PROCESSING",
    id_prefix="gen-",
)

# Unset fields are absent; the terminal choice tells what stopped it; a named tool ends with "stop".
_VLLM = Dialect(
    "vllm",
    streamed=(
        steps.without("refusal", "system_fingerprint"),
        steps.opening(_ROLE),
        steps.thinking("reasoning"),
        steps.finish("stop", steps.named_tool),
        extras.stop_reason,
        extras.running_usage,
    ),
    whole=(
        steps.without("refusal", "system_fingerprint"),
        steps.thinking("reasoning"),
        steps.finish("stop", steps.named_tool),
        extras.stop_reason,
    ),
    error=_vllm_error,
    in_stream_error="vllm",
)

# Calls arrive whole, and every one of them is number 0.
_OLLAMA = Dialect(
    "ollama",
    streamed=(
        steps.without("refusal", "logprobs"),
        steps.opening(_ROLE),
        steps.thinking("reasoning", content=""),
        steps.whole_calls(index=True),
        steps.on_records(system_fingerprint="fp_ollama"),
    ),
    whole=(
        steps.without("refusal", "logprobs"),
        steps.thinking("reasoning"),
        steps.on_records(system_fingerprint="fp_ollama"),
    ),
    in_stream_error="ollama",
)

# The releases of 2025: role and content on every chunk, the reason together with the last text.
_OLLAMA_OLD = Dialect(
    "ollama_old",
    streamed=(*_OLLAMA.streamed, steps.on_deltas(**_ROLE), steps.join_finish),
    whole=_OLLAMA.whole,
    in_stream_error="ollama",
)

_LLAMACPP = Dialect(
    "llamacpp",
    streamed=(
        steps.without("refusal", "logprobs"),
        steps.opening({"role": "assistant", "content": None}),
        steps.thinking("reasoning_content"),
        extras.timings,
    ),
    whole=(steps.without("refusal"), steps.thinking("reasoning_content"), extras.timings),
    error=_llamacpp_error,
    in_stream_error="llamacpp",
)

_AZURE = Dialect("azure", streamed=(extras.azure_filters,), whole=(extras.azure_whole,))

# Usage rides on the finish chunk; text chunks carry an empty list of calls.
_GROQ = Dialect(
    "groq",
    streamed=(
        steps.without("refusal"),
        steps.thinking("reasoning"),
        steps.empty_calls,
        extras.x_groq,
    ),
    whole=(steps.without("refusal"), steps.thinking("reasoning"), extras.x_groq),
)

# Arguments are objects, content may be a list of parts, and the opening lacks its kind.
_MISTRAL = Dialect(
    "mistral",
    streamed=(
        steps.without("refusal", "logprobs"),
        steps.opening({"role": "assistant"}),
        steps.nameless_opening,
        steps.thinking("thinking", role=None),
        steps.content_parts,
        steps.whole_calls(index=True, arguments=_as_object),
    ),
    whole=(
        steps.without("refusal"),
        steps.thinking("thinking"),
        steps.content_parts,
        steps.whole_calls(index=False, arguments=_as_object),
    ),
)

# It reasons by default; text and reasoning exclude each other, the absent one is null.
_DEEPSEEK = Dialect(
    "deepseek",
    streamed=(
        steps.without("refusal"),
        steps.on_deltas(reasoning_content=None),
        steps.thinking("reasoning_content", content=None),
    ),
    whole=(steps.without("refusal"), steps.thinking("reasoning_content")),
    in_stream_error="string",
    thinks=True,
    keep_alive="keep-alive",
)

# Calls have no index but a signature that must come back, and the reason stays "stop".
_GEMINI = Dialect(
    "gemini",
    streamed=(
        steps.without("refusal", "logprobs", "system_fingerprint"),
        steps.whole_calls(index=False),
        steps.on_calls(extra_content=_SIGNED),
        steps.finish("stop"),
    ),
    whole=(
        steps.without("refusal", "logprobs", "system_fingerprint"),
        steps.on_calls(extra_content=_SIGNED),
        steps.finish("stop"),
    ),
)

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        OPENAI,
        _OPENROUTER,
        _VLLM,
        _OLLAMA,
        _OLLAMA_OLD,
        _LLAMACPP,
        _AZURE,
        _GROQ,
        _MISTRAL,
        _DEEPSEEK,
        _GEMINI,
    )
}
