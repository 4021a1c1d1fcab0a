"""POST /embeddings, in as many requests as the inputs need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any, Final, Literal, Required, TypedDict

import attrs

from ..ground import NOT_GIVEN, ConfigurationError, NotGiven
from ..models.embeddings import CreateEmbeddingResponse, NumpyEmbeddingResponse
from ..models.fields import adopt
from ..wire import Response, Timeouts
from .base import Call, CallOptions, Series, call_options, mapping
from .common import checked_object, chosen_model
from .joining import Part, together

__all__ = ["BATCH_SIZE", "EmbeddingOptions", "embeddings"]

#: The most inputs that are sent in one request: OpenAI's limit, which others have taken over.
BATCH_SIZE: Final = 2048


class EmbeddingOptions(TypedDict, total=False):
    """The keyword arguments of `embeddings.create` besides `as_numpy`.

    What is not given is not sent. Any other keyword goes into the body as it is; in code that is
    checked for types, put it into `extra_body`.

    Attributes:
        input: A text, a list of texts, a list of token ids, a list of such lists, or a list of
            objects where the provider takes pictures and the like. Required.
        model: The model; default the client's `model`.
        dimensions: How many numbers a vector has, where the model lets it be chosen.
        encoding_format: "float" (what servers send by default) or "base64", which makes an answer
            a third as long, and which not every server knows. The vectors are numbers either way.
        user: A name for the end user, for the provider's abuse checks.
        batch_size: The most inputs in one request. More inputs are sent in several requests, one
            after another, and the answers put together. Default 2048.
        timeout: A number of seconds (`first_chunk` and `idle`, of each request) or `Timeouts`,
            whose `total` bounds all the requests together.
        extra_headers: Headers for this call; a value of None takes one of the client's away.
        extra_query: Query parameters for this call.
        extra_body: Further fields of the body; they win over the other arguments.
    """

    input: Required[
        str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]] | Sequence[Mapping[str, Any]]
    ]
    model: str | NotGiven
    dimensions: int | NotGiven
    encoding_format: Literal["float", "base64"] | NotGiven
    user: str | NotGiven
    batch_size: int
    timeout: float | Timeouts | NotGiven | None
    extra_headers: Mapping[str, str | None] | None
    extra_query: Mapping[str, str | int | float | bool] | None
    extra_body: Mapping[str, Any] | None


def embeddings(
    given: Mapping[str, Any], *, as_numpy: bool, default_model: str | None
) -> Series[Part, CreateEmbeddingResponse]:
    """Return the calls for the vectors of some inputs.

    Args:
        given: The keyword arguments of `create` (`EmbeddingOptions` and any others).
        as_numpy: Whether the vectors are to be numpy arrays.
        default_model: The client's model.

    Raises:
        ConfigurationError: An argument is wrong, or numpy is not installed; it is named.
    """
    body = {name: value for name, value in given.items() if value is not NOT_GIVEN}
    options = call_options(body)
    extra_body = mapping(body.pop("extra_body", None), "extra_body")
    size = _batch_size(body.pop("batch_size", None))
    body["model"] = chosen_model(body, extra_body, default_model)
    if body["model"] is None:
        del body["model"]
    inputs, is_list = _inputs(body.get("input"))
    kind = _numpy_response() if as_numpy else CreateEmbeddingResponse
    batches = [inputs[at : at + size] for at in range(0, len(inputs), size)]
    calls = [
        Call(
            method="POST",
            path="/embeddings",
            body={**body, "input": batch if is_list else batch[0], **extra_body},
            read=partial(_part, len(batch)),
            options=_with_own_key(options, number),
        )
        for number, batch in enumerate(batches)
    ]
    return Series(calls, partial(_response, kind))


def _with_own_key(options: CallOptions, number: int) -> CallOptions:
    """Return options whose Idempotency-Key, where the user gave one, is no other batch's."""
    if not number:
        return options
    headers = {
        name: f"{value}-{number}" if value and name.lower() == "idempotency-key" else value
        for name, value in options.headers.items()
    }
    return attrs.evolve(options, headers=headers)


def _part(inputs: int, document: Any, response: Response) -> Part:
    return Part(checked_object(document, response), inputs, response)


def _response(kind: type[CreateEmbeddingResponse], parts: list[Part]) -> CreateEmbeddingResponse:
    answer = adopt(kind, together(parts))
    answer.response = parts[-1].response
    return answer


def _batch_size(given: object) -> int:
    if given is None:
        return BATCH_SIZE
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise ConfigurationError(
            f"batch_size must be a whole number of at least 1; it is {given!r}.",
            argument="batch_size",
        )
    return given


def _numpy_response() -> type[NumpyEmbeddingResponse]:
    if find_spec("numpy") is None:
        raise ConfigurationError(
            'as_numpy needs numpy, which the extra “numpy” brings: pip install "evoclient[numpy]".',
            argument="as_numpy",
        )
    return NumpyEmbeddingResponse


def _inputs(given: object) -> tuple[list[Any], bool]:
    """Return the inputs one by one, and whether they go out as a list; token ids are one input.

    Raises:
        ConfigurationError: There are none, or one is no input.
    """
    if isinstance(given, str):
        return [given], False
    is_list = isinstance(given, (Sequence, Iterator)) and not isinstance(given, (bytes, bytearray))
    inputs = list(given) if is_list and isinstance(given, (Sequence, Iterator)) else []
    if not inputs:
        raise ConfigurationError(
            "input must be a text, or a list of texts or tokens that is not empty; it is "
            + ("missing." if given is None else f"{given!r:.80}."),
            argument="input",
        )
    if all(_is_token(item) for item in inputs):
        return [inputs], False
    for place, item in enumerate(inputs):
        if not _is_input(item):
            raise ConfigurationError(
                f"input[{place}] must be a text or a list of tokens; it is {item!r:.80}.",
                argument="input",
            )
    return inputs, True


def _is_token(item: object) -> bool:
    return isinstance(item, int) and not isinstance(item, bool)


def _is_input(item: object) -> bool:
    if isinstance(item, (str, Mapping)):
        return True
    return isinstance(item, (list, tuple)) and bool(item) and all(map(_is_token, item))
