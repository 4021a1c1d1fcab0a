"""Reading a request body: what is asked for, checked and in plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .going_on import Begun, begun_in
from .tokens import count_tokens

__all__ = ["BadRequest", "Question", "Tool", "read_chat", "read_completion"]

_MOST_CHOICES = 128  # the limit of OpenAI's API
_PER_MESSAGE = 3  # tokens that a chat template puts around every message


class BadRequest(ValueError):
    """The body cannot be answered; the server turns this into a 400 with the field's name."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True)
class Tool:
    """A function the model may call, with the JSON schema of its arguments."""

    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """A request in plain values, the same for chat and for the legacy completions.

    ``begun`` is the answer that is to be gone on with; all else is of the question before it.
    """

    model: str
    text: str
    instructions: str = ""
    results: tuple[str, ...] = ()
    turns: int = 1
    tools: tuple[Tool, ...] = ()
    tool_choice: str | Tool = "auto"
    parallel: bool = True
    schema: Any = None
    stop: tuple[str, ...] = ()
    limit: int | None = None
    choices: int = 1
    stream: bool = False
    usage: bool = False
    running_usage: bool = False
    thinking: bool | None = None
    prompt_tokens: int = 0
    begun: Begun | None = None


def read_chat(body: Any) -> Question:
    """Read the body of a chat request.

    Raises:
        BadRequest: A field is missing or of the wrong kind.
    """
    common = _read_common(body)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("messages must be a list with at least one message", "messages")
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise BadRequest("every message needs a role", f"messages[{index}].role")
    tools = _read_tools(body)
    counted = sum(_PER_MESSAGE + count_tokens(_text_of(message)) for message in messages)
    counted += count_tokens(json.dumps(body["tools"])) if tools else 0
    turns = len(messages)
    messages, begun = begun_in(messages)
    return replace(
        common,
        text=next((_text_of(m) for m in reversed(messages) if m["role"] == "user"), ""),
        instructions="\n".join(
            _text_of(m) for m in messages if m["role"] in ("system", "developer")
        ),
        results=_last_results(messages),
        turns=turns,
        tools=tools,
        tool_choice=_read_tool_choice(body, tools),
        parallel=body.get("parallel_tool_calls") is not False,
        schema=_read_schema(body),
        prompt_tokens=counted,
        begun=begun,
    )


def read_completion(body: Any) -> Question:
    """Read the body of a legacy completion request; its prompt is taken as the user's message.

    Raises:
        BadRequest: A field is missing or of the wrong kind.
    """
    common = _read_common(body)
    prompt = body.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str):
        raise BadRequest("prompt must be a string", "prompt")
    return replace(common, text=prompt, prompt_tokens=count_tokens(prompt))


def _read_common(body: Any) -> Question:
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequest("you must provide a model", "model")
    options = body.get("stream_options")
    options = options if isinstance(options, dict) else {}
    limit = "max_completion_tokens" if body.get("max_completion_tokens") else "max_tokens"
    return Question(
        model=model,
        text="",
        stop=_read_stop(body.get("stop")),
        limit=_positive(body, limit, None),
        choices=_positive(body, "n", _MOST_CHOICES) or 1,
        stream=body.get("stream") is True,
        usage=options.get("include_usage") is True,
        running_usage=options.get("continuous_usage_stats") is True,
        thinking=_read_thinking(body),
    )


def _positive(body: dict[str, Any], field: str, most: int | None) -> int | None:
    value = body.get(field)
    if value is None:
        return None
    if type(value) is not int or value < 1 or (most is not None and value > most):
        raise BadRequest(f"{field} must be a positive integer, not {value!r}", field)
    return value


def _read_stop(stop: Any) -> tuple[str, ...]:
    stops = [] if stop is None else [stop] if isinstance(stop, str) else stop
    if not isinstance(stops, list) or not all(isinstance(text, str) for text in stops):
        raise BadRequest("stop must be a string or a list of strings", "stop")
    return tuple(text for text in stops if text)


def _read_thinking(body: dict[str, Any]) -> bool | None:
    """Tell whether reasoning is asked for; None leaves it to the habit of the dialect."""
    switch = body.get("thinking")
    if isinstance(switch, dict):
        return bool(switch.get("type") == "enabled")
    if "reasoning_effort" in body:
        return bool(body["reasoning_effort"] != "none")
    return True if body.get("reasoning") else None


def _read_tools(body: dict[str, Any]) -> tuple[Tool, ...]:
    tools = []
    for index, tool in enumerate(body.get("tools") or ()):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise BadRequest("a tool needs a function with a name", f"tools[{index}].function")
        tools.append(Tool(function["name"], function.get("parameters") or {"type": "object"}))
    return tuple(tools)


def _read_tool_choice(body: dict[str, Any], tools: tuple[Tool, ...]) -> str | Tool:
    choice = body.get("tool_choice") or "auto"
    if choice in ("auto", "none", "required"):
        return str(choice)
    name = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    for tool in tools:
        if tool.name == name:
            return tool
    raise BadRequest(f"tool_choice names no tool of this request: {choice!r}", "tool_choice")


def _read_schema(body: dict[str, Any]) -> Any:
    wanted = body.get("response_format") or {"type": "text"}
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind == "text":
        return None
    if kind == "json_object":
        return _ANY_OBJECT
    schema = wanted.get("json_schema") if isinstance(wanted, dict) else None
    if kind != "json_schema" or not isinstance(schema, dict) or "schema" not in schema:
        raise BadRequest(f"unknown response_format: {wanted!r}", "response_format")
    return schema["schema"]


_ANY_OBJECT = {
    "type": "object",
    "properties": {
        "answer": {"type": "string"},
        "topics": {"type": "array", "items": {"type": "string"}},
        "pieces": {"type": "integer", "minimum": 1},
    },
}


def _last_results(messages: list[dict[str, Any]]) -> tuple[str, ...]:
    results: list[str] = []
    for message in reversed(messages):
        if message["role"] != "tool":
            break
        results.insert(0, _text_of(message))
    return tuple(results)


def _text_of(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "\n".join(text for text in parts if isinstance(text, str))
    return content if isinstance(content, str) else ""
