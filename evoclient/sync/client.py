"""The client for threads."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from ..auth.base import Auth
from ..auth.bearer import ApiKey
from ..configuration import configure, is_memory, transport_maker
from ..providers.base import Provider
from ..retry import Retry
from ..transports.base import Transport
from ..view import ClientView
from ..wire import Timeouts
from .caller import Caller
from .chat import Chat
from .driver import TransportHandle

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
        auth: Auth | None = None,
        provider: str | Provider | None = None,
        model: str | None = None,
        timeout: float | Timeouts | None = None,
        max_retries: int | None = None,
        retry_delay: float | None = None,
        retry: Retry | None = None,
        transport: str | Transport = "requests",
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        default_headers: Mapping[str, str | None] | None = None,
        default_query: Mapping[str, str | int | float | bool] | None = None,
        max_event_bytes: int | None = None,
    ) -> None:
        """Configure a client. Nothing is sent, and no HTTP library is imported yet.

        What is not given comes from the environment of the preset, then from the preset.

        Args:
            base_url: The address of the API, with or without ``/v1``.
            api_key: A key, or a function that returns one and is asked before each attempt.
            auth: Any other way to say who we are.
            provider: The name of a preset, or a record; default the one that `base_url` means
                ("generic"), else the first with credentials in the environment.
            model: The model of calls that name none.
            timeout: Seconds until the first line of an answer and between lines, or `Timeouts`.
            max_retries: How often a failure before the first chunk is tried again. Default 2.
            retry_delay: Seconds before the first retry, doubled for each further one.
                Default 0.5.
            retry: The whole retry policy.
            transport: "requests", "memory" (answers without a server), or a transport.
            verify: Whether to check certificates, or the path of a file with CAs to trust.
            cert: A client certificate: a file, or a pair of certificate and key.
            default_headers: Headers of every request; None takes one of ours away.
            default_query: Query parameters of every request.
            max_event_bytes: The most bytes of one event of a stream. Default 16 MiB.

        Raises:
            ConfigurationError: An argument or an environment variable is wrong; it is named.
        """
        self._settings = configure(
            base_url=base_url,
            api_key=api_key,
            auth=auth,
            provider=provider,
            model=model,
            timeout=timeout,
            max_retries=max_retries,
            retry_delay=retry_delay,
            retry=retry,
            default_headers=default_headers,
            default_query=default_query,
            max_event_bytes=max_event_bytes,
            is_memory=is_memory(transport),
        )
        make = transport_maker(transport, "sync", verify=verify, cert=cert)
        self._caller = Caller(self._settings, TransportHandle(make))
        self.chat = Chat(self._caller)

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
