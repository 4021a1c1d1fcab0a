"""Any path of a server: what the other endpoints do not know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypedDict

import attrs

from ..ground import NOT_GIVEN, ConfigurationError, NotGiven
from ..streaming.ending import Incomplete
from ..streaming.shapes import ANY
from ..wire import Headers, Response, Timeouts
from .base import Call, mapping, request_options
from .common import checked_path

__all__ = ["APIResponse", "AnyOptions", "any_request"]

_METHOD: Final = re.compile("[A-Za-z]+")


class AnyOptions(TypedDict, total=False):
    """The keyword arguments of `client.request` besides `stream`.

    Attributes:
        body: The JSON object to send, as it is; None sends no body.
        incomplete: What to do with a stream that is cut, or whose choices have no finish reason:
            as for chat completions, "raise" (default), "accept" or "strict".
        timeout: A number of seconds (`first_chunk` and `idle`) or `Timeouts`, for this call.
        extra_headers: Headers for this call; a value of None takes one of the client's away.
        extra_query: Query parameters for this call.
    """

    body: Mapping[str, Any] | NotGiven | None
    incomplete: Incomplete
    timeout: float | Timeouts | NotGiven | None
    extra_headers: Mapping[str, str | None] | None
    extra_query: Mapping[str, str | int | float | bool] | None


@attrs.frozen
class APIResponse:
    """The answer of a server to `client.request`.

    Attributes:
        data: The parsed JSON document; None where the answer had no body.
        response: The reply it came from: status, headers, request id.
    """

    data: Any
    response: Response

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self.response.status_code

    @property
    def headers(self) -> Headers:
        """The header fields, looked up in any case."""
        return self.response.headers

    @property
    def request_id(self) -> str | None:
        """The server's name for the request, or None."""
        return self.response.request_id


def any_request(method: object, path: object, given: Mapping[str, Any]) -> Call[APIResponse]:
    """Return the call for any request.

    Args:
        method: The HTTP method, in any case.
        path: The path below the base URL, with its slash.
        given: The keyword arguments (`AnyOptions`).

    Raises:
        ConfigurationError: An argument is wrong; it is named.
    """
    if not isinstance(method, str) or not _METHOD.fullmatch(method):
        raise ConfigurationError(
            f"method must be an HTTP method, such as “POST”; it is {method!r}.", argument="method"
        )
    rest = dict(given)
    body = rest.pop("body", None)
    options = request_options(rest)
    return Call(
        method=method.upper(),
        path=_path(path),
        body=None if body is None or body is NOT_GIVEN else dict(mapping(body, "body")),
        read=APIResponse,
        shape=ANY,
        may_be_empty=True,
        options=options,
    )


def _path(path: object) -> str:
    if not isinstance(path, str) or not path.startswith("/"):
        raise ConfigurationError(
            f"path must be a path below the base URL that begins with a slash; it is {path!r}.",
            argument="path",
        )
    if "?" in path or "#" in path:
        raise ConfigurationError(
            f"path must have no query and no fragment; it is {path!r}. Parameters go into "
            "extra_query.",
            argument="path",
        )
    return checked_path(path, "path")
