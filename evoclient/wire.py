"""What crosses the border with a transport: requests, replies, bodies, time limits.

Every moment here is a reading of `time.monotonic()`, in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from string import ascii_letters, digits
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeVar, cast, overload

import attrs

from .ground import ConfigurationError, Secrets, redacted

__all__ = [
    "AsyncBody",
    "Body",
    "Deadline",
    "Deadlines",
    "Headers",
    "Limit",
    "Reply",
    "Request",
    "Response",
    "Timeouts",
]

_T = TypeVar("_T")

#: The four time limits of `Timeouts`, by name.
Limit = Literal["connect", "first_chunk", "idle", "total"]

# RFC 9110, section 5.6.2: what a field name may be made of.
_TOKEN: Final = frozenset("!#$%&'*+-.^_`|~" + ascii_letters + digits)
# RFC 9110, section 5.5: visible characters, spaces and tabs. Beyond ASCII the libraries differ
# in what they send, so it is refused.
_VALUE: Final = frozenset("\t" + "".join(map(chr, range(0x20, 0x7F))))

# Some thirty years: sockets refuse longer waits with errors of their own, infinity included.
_LONGEST_LIMIT: Final = 1e9


class Headers(Mapping[str, str]):
    """Header fields: looked up in any case, in the order they came, repeated ones kept.

    As a mapping it gives, for a name that came several times, the values joined by ``", "``;
    `get_all` gives them one by one. Sensitive values do not show in its repr.
    """

    __slots__ = ("_index", "pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] | Mapping[str, str] = ()) -> None:
        """Take pairs of name and value, or a mapping."""
        if isinstance(pairs, Mapping):
            pairs = pairs.items()
        self.pairs: tuple[tuple[str, str], ...] = tuple(pairs)
        self._index: dict[str, str] = {}
        repeated: dict[str, list[str]] = {}
        for name, value in self.pairs:
            key = name.lower()
            if key in self._index:
                repeated.setdefault(key, [self._index[key]]).append(value)
            else:
                self._index[key] = value
        for key, values in repeated.items():
            self._index[key] = ", ".join(values)

    @classmethod
    def of_fields(cls, fields: Mapping[str, tuple[str, str]]) -> Headers:
        """Return headers none of which is repeated.

        Args:
            fields: For each name in lower case the name as it is written, and the value.
        """
        made = cls.__new__(cls)
        made.pairs = tuple(fields.values())
        made._index = {key: value for key, (_, value) in fields.items()}
        return made

    def __getitem__(self, name: str) -> str:
        """Return the value of a field, repeated ones joined."""
        return self._index[name.lower()]

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str | _T) -> str | _T: ...
    def get(self, name: str, /, default: _T | None = None) -> str | _T | None:
        """Return the value of a field, repeated ones joined, or the default."""
        return self._index.get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        """Return whether there is a field of that name."""
        return isinstance(name, str) and name.lower() in self._index

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names in lower case, each once."""
        return iter(self._index)

    def __len__(self) -> int:
        """Return how many different names there are."""
        return len(self._index)

    def __repr__(self) -> str:
        """Show the fields without credentials."""
        return f"Headers({redacted(self.pairs)!r})"

    def get_all(self, name: str) -> list[str]:
        """Return every value of a field, in order."""
        wanted = name.lower()
        return [value for key, value in self.pairs if key.lower() == wanted]

    def __reduce__(self) -> tuple[type[Headers], tuple[tuple[tuple[str, str], ...]]]:
        """Pickle as the pairs."""
        return Headers, (self.pairs,)


def check_header(name: object, value: object, argument: str) -> tuple[str, str]:
    """Return a header as it may be sent, or say what is wrong with it.

    Args:
        name: A field name (RFC 9110, section 5.1).
        value: A field value: ASCII without line ends or NUL.
        argument: The argument that it came from, for the message. The value is never shown.

    Raises:
        ConfigurationError: The name or the value may not be sent.
    """
    if not isinstance(name, str) or not name or not _TOKEN.issuperset(name):
        raise ConfigurationError(
            f"{argument}: {name!r} is not a header name (letters, digits and dashes).",
            argument=argument,
        )
    if not isinstance(value, str) or not _VALUE.issuperset(value):
        raise ConfigurationError(
            f"{argument}: the value of the header {name!r} must be a string of ASCII characters "
            "without line ends or NUL. (It is not shown here, as it may be a secret.)",
            argument=argument,
        )
    return name, value.strip()


def _seconds(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Refuse what is not a positive number of seconds, naming the field."""
    if value is None:
        return
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and 0 < cast(float, value) <= _LONGEST_LIMIT:
        return
    raise ConfigurationError(
        f"timeout: {attribute.name} must be a number of seconds above 0, or None for no limit; "
        f"it is {value!r}.",
        argument="timeout",
    )


@attrs.frozen(kw_only=True)
class Timeouts:
    """How long to wait, in seconds; None is no limit.

    Attributes:
        connect: Until the connection stands, TLS and proxy included. It is shared by all the
            addresses of a host. Default 5.
        first_chunk: From the start of an attempt until the first completed line of the body.
            Default 600: reasoning models are silent for minutes.
        idle: Between completed lines after the first. Default 60.
        total: From the start of the call to the end of its body, all attempts and the waits
            between them included. Default None.
        keepalive_counts: Whether comments and blank lines, which servers send to keep a
            connection alive, count as activity. Default True.

    Raises:
        ConfigurationError: A limit is not a positive number.
    """

    connect: float | None = attrs.field(default=5.0, validator=_seconds)
    first_chunk: float | None = attrs.field(default=600.0, validator=_seconds)
    idle: float | None = attrs.field(default=60.0, validator=_seconds)
    total: float | None = attrs.field(default=None, validator=_seconds)
    keepalive_counts: bool = True


class Deadline(NamedTuple):
    """A moment, and the limit that put it there.

    Each read of a body has its own, so it is of the kind that costs least to make.

    Attributes:
        when: The moment, on the monotonic clock.
        limit: The limit's name.
        seconds: The limit's length, for the message of the error.
    """

    when: float
    limit: Limit
    seconds: float


class Deadlines(NamedTuple):
    """The moments that bound one attempt to get a reply. None: unbounded.

    Attributes:
        connect: When the connection must stand.
        first_chunk: When the first line of the body must be complete, hence the head before it.
        total: When the whole call ends.
    """

    connect: Deadline | None = None
    first_chunk: Deadline | None = None
    total: Deadline | None = None

    def connecting(self) -> Deadline | None:
        """Return the earliest moment that bounds the connecting."""
        return earliest(self.connect, self.first_chunk, self.total)

    def answering(self) -> Deadline | None:
        """Return the earliest moment that bounds the head of the reply."""
        return earliest(self.first_chunk, self.total)


def earliest(*deadlines: Deadline | None) -> Deadline | None:
    """Return the earliest of several deadlines, or None where there is none."""
    # A moment comes first in a deadline, so the earlier one is the smaller one.
    return min((deadline for deadline in deadlines if deadline is not None), default=None)


@attrs.frozen
class Request:
    """One HTTP request, ready to be sent as it is.

    Attributes:
        method: The method in capitals.
        url: Absolute, ASCII, percent-encoded.
        headers: All headers but those that the library must set (Host, Content-Length).
        body: The body, or None.
        secrets: What must not be shown besides the credentials among the headers.
    """

    method: str
    url: str
    headers: Headers
    body: bytes | None = attrs.field(default=None, repr=False)
    secrets: Secrets = attrs.field(factory=Secrets)


class Body(Protocol):
    """The body of a reply, for threads. One thread reads; any thread may close."""

    def read(self, deadline: Deadline | None) -> bytes:
        """Return the bytes that have arrived, waiting for at least one; ``b""`` at the end.

        Raises:
            APITimeoutError: The deadline has passed; it names the deadline's limit.
            APIConnectionError: The body was cut, or is malformed.
        """
        ...

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else close it.

        It frees a reader that is blocked in `read` in another thread, which then sees
        ``b""`` or an `APIConnectionError`. A second call does nothing.
        """
        ...


class AsyncBody(Protocol):
    """The body of a reply, for asyncio. One task reads; any task of the loop may close."""

    async def read(self, deadline: Deadline | None) -> bytes:
        """Do as `Body.read`."""
        ...

    def close(self) -> None:
        """Do as `Body.close`, without waiting."""
        ...


@attrs.frozen(eq=False)
class Reply:
    """What comes from a transport: a head, and a body that is still open.

    Attributes:
        status: The status code; never an interim one (1xx).
        headers: The header fields.
        body: A `Body` or an `AsyncBody`, by the colour of the transport. It gives the bytes
            as they were sent: a content encoding is not undone.
    """

    status: int
    headers: Headers = attrs.field(repr=False)  # a server may echo a credential in any of them
    body: Body | AsyncBody = attrs.field(repr=False)
    _closing: list[Callable[[], None]] = attrs.field(factory=list, repr=False, init=False)

    def when_closed(self, function: Callable[[], None]) -> None:
        """Have a function called when the reply is closed."""
        self._closing.append(function)

    def close(self) -> None:
        """Close the body, and tell those who wait for it. A second call does nothing."""
        self.body.close()
        while self._closing:
            try:
                function = self._closing.pop()
            except IndexError:  # another thread closes it too
                return
            function()


#: Where servers put their name for a request; the first that is there is taken.
REQUEST_ID_HEADERS: Final = (
    "x-request-id",
    "request-id",
    "x-generation-id",
    "x-litellm-call-id",
    "cf-ray",
)


@attrs.frozen
class Response:
    """A picklable record of the reply that a result or an error came from.

    Attributes:
        status_code: The HTTP status.
        headers: The header fields, looked up in any case.
        url: The URL asked.
        elapsed: Seconds from the start of the attempt to the head of the reply.
        content: The beginning of the body of an error, at most 64 KiB; else empty.
    """

    status_code: int
    headers: Headers
    url: str = ""
    elapsed: float = 0.0
    content: bytes = attrs.field(default=b"", repr=False)

    @property
    def request_id(self) -> str | None:
        """The server's name for the request, or None."""
        for name in REQUEST_ID_HEADERS:
            if name in self.headers:
                return self.headers[name]
        return None
