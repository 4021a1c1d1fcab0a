"""What several endpoints check of a request, and of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors.tree import ResponseDecodeError
from ..ground import ConfigurationError
from ..wire import Response
from .base import mapping

__all__ = [
    "asks_for_usage",
    "checked_completion",
    "checked_object",
    "checked_path",
    "choices_asked",
    "chosen_model",
]


def chosen_model(
    body: Mapping[str, Any], extra_body: Mapping[str, Any], default: str | None
) -> object:
    """Return the model to ask for; None where a list of models takes its place.

    Args:
        body: What the user wants sent.
        extra_body: What the user wants sent besides.
        default: The client's model.

    Raises:
        ConfigurationError: No model is named, or it is no string.
    """
    given = body.get("model", extra_body.get("model"))
    if given is None and ("models" in extra_body or "models" in body):
        # OpenRouter takes a list of models in place of one.
        return None
    model = default if given is None else given
    if isinstance(model, str) and model.strip():
        return model
    raise ConfigurationError(
        "model: no model is named. Pass model=“…”, or give the client a default with "
        "Client(model=“…”) or the environment variable EVOCLIENT_MODEL."
        if model is None
        else f"model must be a string that is not empty; it is {model!r}.",
        argument="model",
    )


def checked_object(document: Any, response: Response) -> dict[str, Any]:
    """Return a parsed answer that must be an object.

    Args:
        document: The answer.
        response: Its reply.

    Raises:
        ResponseDecodeError: It is not an object.
    """
    if isinstance(document, dict):
        return document
    # It is not kept as `body`: what is not known to be an error is not masked by now.
    raise ResponseDecodeError(
        f"The answer is JSON, but a {type(document).__name__} where an object belongs. Is "
        f"{response.url} the address of an OpenAI-compatible API?",
        response=response,
    )


def checked_completion(document: Any, response: Response) -> dict[str, Any]:
    """Return a parsed answer that must be a completion, by the same mark as in a stream.

    Args:
        document: The answer.
        response: Its reply.

    Raises:
        ResponseDecodeError: It is not an object, or has no list of choices.
    """
    found = checked_object(document, response)
    if isinstance(found.get("choices"), list):
        return found
    raise ResponseDecodeError(
        "The answer is a JSON object, but no completion: it has no list of “choices”. Check "
        f"base_url: is {response.url} the address of an OpenAI-compatible API?",
        response=response,
    )


def checked_path(path: str, argument: str) -> str:
    """Return a path below the base URL that means what it says.

    Args:
        path: The path.
        argument: The argument that it came from, for the message.

    Raises:
        ConfigurationError: It would lead elsewhere.
    """
    if not {".", ".."}.isdisjoint(path.split("/")):
        # HTTP libraries resolve these, and what is left may lie outside the API.
        raise ConfigurationError(
            f"{argument} must not hold “.” or “..” as a part of a path; it is {path!r}.",
            argument=argument,
        )
    return path


def asks_for_usage(body: dict[str, Any]) -> None:
    """Make a request for a stream ask for a usage chunk.

    Raises:
        ConfigurationError: The `stream_options` that are there are no mapping.
    """
    stream_options = mapping(body.get("stream_options"), "stream_options")
    body["stream_options"] = {**stream_options, "include_usage": True}


def choices_asked(n: object) -> int:
    """Return how many choices an `n` asks for, whatever it is."""
    return n if isinstance(n, int) and n > 0 else 1
