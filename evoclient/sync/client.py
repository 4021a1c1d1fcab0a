"""The client for threads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload

from ..auth.base import Auth
from ..auth.bearer import ApiKey
from ..configuration import configured
from ..credentials import Given
from ..ground import NOT_GIVEN, NotGiven
from ..providers.base import Provider
from ..retry import Retry
from ..streaming.callbacks import Callbacks, Functions
from ..transports.base import Transport
from ..view import ClientView
from ..wire import Timeouts
from .caller import Caller
from .chat import Chat
from .driver import TransportHandle
from .stream import Stream

if TYPE_CHECKING:
    from ..endpoints.raw import AnyOptions, APIResponse
    from ..limits import Limits
    from .completions import TextCompletions
    from .embeddings import Embeddings
    from .many import StreamGroup, StreamRequest
    from .models import Models

__all__ = ["Client"]


class Client(ClientView):
    """A client for chat APIs that speak the OpenAI dialect.

    One client serves many threads. Use it as a context manager, or close it.

    Attributes:
        chat: Chat completions, as ``client.chat.completions.create(…)``.
    """

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: ApiKey | None = None,
        key_id: str | None = None,
        secret: str | None = None,
        token_url: str | None = None,
        auth: Auth | str | None = None,
        provider: str | Provider | None = None,
        model: str | None = None,
        timeout: float | Timeouts | None = None,
        max_retries: int | None = None,
        retry_delay: float | None = None,
        retry: Retry | None = None,
        limits: Limits | None = None,
        transport: str | Transport | type[Transport] = "requests",
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        project_id: str | None = None,
        default_headers: Mapping[str, str | None] | None = None,
        default_query: Mapping[str, str | int | float | bool] | None = None,
        max_event_bytes: int | None = None,
        callbacks: Callbacks | Mapping[str, Functions | None] | None = None,
        slow_after: float | None = None,
    ) -> None:
        """Configure a client. Nothing is sent, and no HTTP library is imported yet.

        What is not given comes from the environment of the preset, then from the preset.

        Args:
            base_url: The address of the API, with or without ``/v1``.
            api_key: A key, or a function that returns one and is asked before each attempt.
            key_id: The id of a key pair that is exchanged for a token (Cloud.ru Evolution).
            secret: The secret of the pair.
            token_url: Where the pair is exchanged.
            auth: Any other way to say who we are: an object, "none", or the name of a plugin.
            provider: The name of a preset, or a record; default the one that `base_url` means
                ("generic"), else the first with credentials in the environment.
            model: The model of calls that name none.
            timeout: Seconds until the first line of an answer and between lines, or `Timeouts`.
            max_retries: How often a failure before the first chunk is tried again. Default 2.
            retry_delay: Seconds before the first retry, doubled for each further one.
                Default 0.5.
            retry: The whole retry policy.
            limits: How much is asked at once and per minute; may be shared between clients.
            transport: "requests", "httpx", "memory" (answers without a server), the name of a
                plugin, or a transport, as an object or a class.
            verify: Whether to check certificates, or the path of a file with CAs to trust.
            cert: A client certificate: a file, or a pair of certificate and key.
            project_id: The project, for providers that take one in a header.
            default_headers: Headers of every request; None takes one of ours away.
            default_query: Query parameters of every request.
            max_event_bytes: The most bytes of one event of a stream. Default 16 MiB.
            callbacks: Functions that hear of the chat and text completions of this client:
                `Callbacks`, or a mapping of its arguments (``{"on_text": show}``).
            slow_after: An answer for which the server was waited for longer than so many
                seconds, all attempts together, is logged as slow. Default None: none is.

        Raises:
            ConfigurationError: An argument or an environment variable is wrong; it is named.
        """
        self._given = Given(
            base_url=base_url,
            api_key=api_key,
            key_id=key_id,
            secret=secret,
            token_url=token_url,
            auth=auth,
            provider=provider,
            model=model,
            timeout=timeout,
            max_retries=max_retries,
            retry_delay=retry_delay,
            retry=retry,
            limits=limits,
            project_id=project_id,
            default_headers=default_headers,
            default_query=default_query,
            max_event_bytes=max_event_bytes,
            callbacks=callbacks,
            slow_after=slow_after,
            transport=transport,
            verify=verify,
            cert=cert,
        )
        # Tracebacks show what a frame holds.
        del base_url, api_key, key_id, secret, token_url, default_headers, default_query
        self._settings, make = configured(self._given, "sync")
        self._call_through(Caller(self._settings, TransportHandle(make)))

    def _call_through(self, caller: Caller) -> None:
        """Make calls through a caller, in all namespaces."""
        self._settings = caller.settings
        self._caller = caller
        self.chat = Chat(caller)
        # A copy of a client begins with all that the client has.
        for namespace in ("completions", "embeddings", "models"):
            self.__dict__.pop(namespace, None)

    # These namespaces are loaded when they are first used: most programs only chat.

    @cached_property
    def completions(self) -> TextCompletions:
        """The older endpoint that continues a text."""
        from .completions import TextCompletions

        return TextCompletions(self._caller)

    @cached_property
    def embeddings(self) -> Embeddings:
        """Vectors that stand for texts."""
        from .embeddings import Embeddings

        return Embeddings(self._caller)

    @cached_property
    def models(self) -> Models:
        """What the server offers."""
        from .models import Models

        return Models(self._caller)

    def with_options(
        self,
        *,
        timeout: float | Timeouts | NotGiven | None = NOT_GIVEN,
        max_retries: int | NotGiven | None = NOT_GIVEN,
        retry_delay: float | NotGiven | None = NOT_GIVEN,
        retry: Retry | NotGiven | None = NOT_GIVEN,
        model: str | NotGiven | None = NOT_GIVEN,
        default_headers: Mapping[str, str | None] | NotGiven | None = NOT_GIVEN,
        default_query: Mapping[str, str | int | float | bool] | NotGiven | None = NOT_GIVEN,
        limits: Limits | NotGiven | None = NOT_GIVEN,
        callbacks: Callbacks | Mapping[str, Functions | None] | NotGiven | None = NOT_GIVEN,
        slow_after: float | NotGiven | None = NOT_GIVEN,
    ) -> Self:
        """Return a copy of the client with some of its options changed. It costs next to nothing.

        The copy is a client of its own that shares the connections, the credentials with their
        token, what all calls together may retry, and, unless others are given, the limits. What
        is not given, or None, is as in this client. Closing the copy closes its streams alone;
        closing this client closes the copy too. The connections stay open as long as this client
        or a copy is there.

        Args:
            timeout: Seconds, in the place of `first_chunk` and `idle`, or `Timeouts`, in the
                place of all limits.
            max_retries: How often a failure before the first chunk is tried again.
            retry_delay: Seconds before the first retry.
            retry: The whole retry policy.
            model: The model of calls that name none.
            default_headers: Headers of every request, laid over the client's; None takes one
                away.
            default_query: Query parameters of every request, laid over the client's.
            limits: Limits of its own. ``Limits()`` is none.
            callbacks: Callbacks in the place of the client's. ``Callbacks()`` is none.
            slow_after: Seconds after which an answer is logged as slow.

        Raises:
            ConfigurationError: An argument is wrong; it is named.
        """
        options = Given(
            timeout=timeout,
            max_retries=max_retries,
            retry_delay=retry_delay,
            retry=retry,
            model=model,
            default_headers=default_headers,
            default_query=default_query,
            limits=limits,
            callbacks=callbacks,
            slow_after=slow_after,
        )
        # Tracebacks show what a frame holds.
        del default_headers, default_query
        from ..overlay import overlaid  # loaded with the first copy

        settings, given = overlaid(self._settings, self._given, options)
        made = object.__new__(type(self))
        # What a subclass keeps besides is the copy's as well.
        made.__dict__.update(self.__dict__)
        made._given = given
        made._call_through(self._caller.derived(settings))
        return made

    copy = with_options

    @overload
    def request(
        self,
        method: str,
        path: str,
        *,
        stream: Literal[False] = False,
        **options: Unpack[AnyOptions],
    ) -> APIResponse: ...

    @overload
    def request(
        self, method: str, path: str, *, stream: Literal[True], **options: Unpack[AnyOptions]
    ) -> Stream: ...

    @overload
    def request(
        self, method: str, path: str, *, stream: bool, **options: Unpack[AnyOptions]
    ) -> APIResponse | Stream: ...

    def request(
        self, method: str, path: str, *, stream: bool = False, **options: Any
    ) -> APIResponse | Stream:
        """Ask for any path of the API, with the same auth, retries, errors and streaming.

        The body goes out as given: a server that streams on request must be told so in it.

        Args:
            method: The HTTP method.
            path: The path below the base URL, such as “/rerank”.
            stream: Whether to read the answer as a stream.
            **options: See `AnyOptions`.

        Returns:
            The parsed answer with its reply. With ``stream=True``, a stream of chunks, whatever
            is in them: a field of a document is an attribute of its chunk. A stream without
            choices is complete when its body ends as it should.

        Raises:
            ConfigurationError: An argument is wrong; nothing was sent.
            APIError: There is no good answer.
            ClientClosedError: The client has been closed.
        """
        from ..endpoints.raw import any_request  # loaded when it is used first

        call = any_request(method, path, options)
        return self._caller.stream(call) if stream else self._caller.whole(call)

    def gather_streams(
        self, requests: Iterable[StreamRequest], *, max_concurrency: int | None = 8
    ) -> StreamGroup:
        """Read several streams at once. Nothing is asked before the group is read.

        Args:
            requests: What to open, in order. Each is a mapping of the keywords of
                `chat.completions.create`, a function that takes nothing and returns a stream, or
                a stream that is open.
            max_concurrency: The most streams that are read at once; None: all.

        Raises:
            ConfigurationError: An argument is wrong; it is named.
        """
        from .many import StreamGroup  # as above

        return StreamGroup(
            requests, max_concurrency=max_concurrency, create=self.chat.completions.create
        )

    @property
    def is_closed(self) -> bool:
        """Whether the client has been closed."""
        return self._caller.is_closed

    def close(self) -> None:
        """Close open streams and connections. A second call does nothing."""
        self._caller.close()

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the client."""
        self.close()
