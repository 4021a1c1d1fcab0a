"""Arguments and environment, made into the settings of a client.

An explicit argument wins, then the environment of the preset, then the preset's default. A key
from the environment is sent only to its own preset's base URL, or to the one that the preset's
own variable names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final

import attrs

from .auth.base import Auth
from .auth.bearer import ApiKey
from .credentials import (
    Credentials,
    Given,
    auth_for,
    has_credentials,
    is_exposed,
    warn_of_exposure,
)
from .endpoints.base import checked_headers, checked_query, timeouts_of
from .endpoints.reading import callbacks_given
from .environment import first_set, variable
from .errors.scrub import without_frames
from .ground import ConfigurationError
from .log import logger
from .policies import checked_limits, checked_slow_after, retry_policy
from .providers.base import Provider
from .providers.presets import GENERIC, PRESETS
from .retry import Retry
from .settings import Settings
from .streaming.callbacks import Callbacks
from .streaming.sse import MOST_EVENT_BYTES
from .transports.registry import Colour, require, transport_class
from .urls import normal_base
from .wire import Timeouts, check_header

if TYPE_CHECKING:
    from .limits import Limits

__all__ = [
    "configure",
    "configured",
    "is_memory",
    "transport_maker",
]

#: Where a memory transport with nothing else configured pretends to be (RFC 6761: never resolves).
_MEMORY_URL: Final = "http://memory.invalid/v1"


#: What `configure` decides by: the arguments of a client, but for those of its transport.
_DECIDED: Final = (
    "base_url",
    "api_key",
    "key_id",
    "secret",
    "token_url",
    "auth",
    "provider",
    "model",
    "timeout",
    "max_retries",
    "retry_delay",
    "retry",
    "limits",
    "project_id",
    "default_headers",
    "default_query",
    "max_event_bytes",
    "callbacks",
    "slow_after",
)


def configured(given: Given, colour: Colour) -> tuple[Settings, Callable[[], Any]]:
    """Decide everything that a client's calls share, and how its transport is made.

    Args:
        given: The arguments of the client.
        colour: Of the client.

    Raises:
        ConfigurationError: An argument or a variable is wrong, or no provider can be told. Its
            traceback ends here: the frames below hold keys.
    """
    options = given.get("transport", "verify", "cert")
    transport = options.pop("transport")
    try:
        settings = configure(**given.get(*_DECIDED), is_memory=is_memory(transport))
        settings = attrs.evolve(settings, is_async=colour == "async")
        make = transport_maker(transport, colour, **options)
    except ConfigurationError as error:
        for link in (error, error.__context__):
            if link is not None:
                without_frames(link)
        raise
    if not is_memory(transport) and is_exposed(settings):
        warn_of_exposure(settings)
    return settings, make


def configure(
    *,
    base_url: str | None,
    api_key: ApiKey | None,
    key_id: str | None,
    secret: str | None,
    token_url: str | None,
    auth: Auth | str | None,
    provider: str | Provider | None,
    model: str | None,
    timeout: float | Timeouts | None,
    max_retries: int | None,
    retry_delay: float | None,
    retry: Retry | None,
    limits: Limits | None,
    project_id: str | None,
    default_headers: Mapping[str, str | None] | None,
    default_query: Mapping[str, Any] | None,
    max_event_bytes: int | None,
    callbacks: Callbacks | Mapping[str, Any] | None,
    slow_after: float | None,
    is_memory: bool,
) -> Settings:
    """Decide everything that a client's calls share.

    Args:
        base_url: The base URL, or None.
        api_key: The key or a function that gives it, or None.
        key_id: The id of a key pair, or None.
        secret: Its secret, or None.
        token_url: Where the pair is exchanged, or None.
        auth: An auth scheme or the name of one, or None.
        provider: A preset's name or a record, or None.
        model: The default model, or None.
        timeout: Seconds or `Timeouts`, or None.
        max_retries: How many retries, or None.
        retry_delay: Seconds before the first retry, or None.
        retry: The whole retry policy, or None.
        limits: How much may be asked, or None.
        project_id: The project, for providers that take one in a header, or None.
        default_headers: Headers of every request, or None.
        default_query: Query parameters of every request, or None.
        max_event_bytes: The most bytes of one event, or None.
        callbacks: Who hears of the calls, or None.
        slow_after: Seconds after which an answer is logged as slow, or None.
        is_memory: Whether the transport is the memory transport, which needs no server.

    Raises:
        ConfigurationError: An argument or a variable is wrong, or no provider can be told.
    """
    given = Credentials(
        api_key=api_key, key_id=key_id, secret=secret, token_url=token_url, auth=auth
    )
    given.check()
    preset = _preset(provider, base_url, has_key=given.is_given, is_memory=is_memory)
    base = _base(preset, base_url, is_memory=is_memory)
    own_headers = {**_preset_headers(preset), **_project_header(preset, project_id)}
    return Settings(
        provider=preset,
        base_url=base,
        auth=auth_for(preset, base, given),
        model=model or variable(preset.model_variables) or preset.default_model,
        retry=retry_policy(retry, max_retries, retry_delay),
        limits=checked_limits(limits),
        timeouts=timeouts_of(timeout, Timeouts()),
        headers={**own_headers, **checked_headers(default_headers, "default_headers")},
        query=checked_query(default_query, "default_query"),
        max_event_bytes=_event_bytes(max_event_bytes),
        callbacks=Callbacks() if (heard := callbacks_given(callbacks)) is None else heard,
        slow_after=checked_slow_after(slow_after),
        new_key=_new_key,
    )


def transport_maker(
    transport: object,
    colour: Colour,
    *,
    verify: bool | str,
    cert: str | tuple[str, str] | None,
) -> Callable[[], Any]:
    """Return how a client's transport is made, once its first request is sent.

    Args:
        transport: A name, a class of transports, or a transport.
        colour: Of the client.
        verify: Whether to check certificates, or a file with CAs.
        cert: A client certificate, or None.

    Raises:
        ConfigurationError: There is no such transport, or it is of the other colour.
    """
    if isinstance(transport, str):
        require(transport, colour)
        name = transport
        return lambda: transport_class(name, colour)(verify=verify, cert=cert)
    method = getattr(transport, "send", None)
    if not callable(method) or iscoroutinefunction(method) != (colour == "async"):
        named = transport.__name__ if isinstance(transport, type) else type(transport).__name__
        raise ConfigurationError(
            f"transport: {named} is not a transport for this client. "
            + (
                "AsyncClient needs an async one."
                if colour == "async"
                else "Client needs a sync one."
            ),
            argument="transport",
        )
    if isinstance(transport, type):
        kind: Callable[..., Any] = transport
        return lambda: kind(verify=verify, cert=cert)
    if verify is not True or cert is not None:
        raise ConfigurationError(
            "verify and cert are for a transport given by name or class: pass them to the "
            "transport itself.",
            argument="verify",
        )
    return lambda: transport


def is_memory(transport: object) -> bool:
    """Return whether a transport needs no server."""
    return transport == "memory" or not getattr(transport, "needs_server", True)


def _new_key() -> str:
    """Return a random UUID (RFC 9562, version 4); to load `uuid` would cost more than the call."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) % 4]
    last = variant + digits[17:20]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{last}-{digits[20:]}"


def _preset(provider: object, base_url: str | None, *, has_key: bool, is_memory: bool) -> Provider:
    """Find the preset: the one named, the one a base URL means, or the first with credentials.

    Raises:
        ConfigurationError: There is no such preset, or nothing tells which.
    """
    if isinstance(provider, Provider):
        return provider
    if provider is not None:
        if not isinstance(provider, str) or provider not in PRESETS:
            raise ConfigurationError(
                f"provider: there is no preset {provider!r}. There are: {', '.join(PRESETS)}.",
                argument="provider",
            )
        return PRESETS[provider]
    if base_url is not None:
        return GENERIC
    for preset in PRESETS.values():
        if _is_complete(preset):
            return preset
    if is_memory:
        return GENERIC
    raise _nothing_found(has_key=has_key)


def _is_complete(preset: Provider) -> bool:
    """Return whether the environment says enough to use a preset."""
    if preset.base_url is None or not preset.needs_key:
        # A local server is not assumed to run only because it needs no key.
        return bool(variable(preset.base_url_variables)) or (
            preset.base_url is not None and has_credentials(preset)
        )
    return has_credentials(preset)


def _nothing_found(*, has_key: bool) -> ConfigurationError:
    looked_for = [
        variable
        for preset in PRESETS.values()
        for variable in (
            preset.api_key_variables if preset.needs_key else preset.base_url_variables
        )
    ]
    beginning = (
        "A key is given, but not for which server." if has_key else "No provider is configured."
    )
    return ConfigurationError(
        f"{beginning} Pass provider=“…” ({', '.join(PRESETS)}) or base_url=“…”, or set one of "
        f"the environment variables {', '.join(looked_for)}.",
        argument="provider",
        details={"looked_for": looked_for},
    )


def _base(preset: Provider, base_url: str | None, *, is_memory: bool) -> str:
    if base_url is not None:
        return normal_base(base_url)
    variable = first_set(preset.base_url_variables)
    if variable is not None:
        return normal_base(os.environ[variable], variable)
    if preset.base_url is not None:
        return normal_base(preset.base_url)
    if is_memory:
        return _MEMORY_URL
    raise ConfigurationError(
        f"The preset “{preset.name}” has no base URL of its own: pass base_url=“…” or set "
        f"{' or '.join(preset.base_url_variables) or 'it in the record'}.",
        argument="base_url",
        provider=preset.name,
    )


def _preset_headers(preset: Provider) -> dict[str, str | None]:
    """Return the headers whose values the environment holds.

    What no header can carry, such as a Cyrillic APP_TITLE, is left out with a log record: these
    variables are the application's, and it may use them for something else.
    """
    headers: dict[str, str | None] = {}
    for header, name in preset.header_variables.items():
        if value := os.environ.get(name, "").strip():
            try:
                headers[header] = check_header(header, value, name)[1]
            except ConfigurationError as error:
                logger.warning("the header %s is left out: %s", header, error)
    return headers


def _project_header(preset: Provider, project_id: object) -> dict[str, str | None]:
    """Return the header that names the project.

    Raises:
        ConfigurationError: The provider takes no project, or no header can carry it.
    """
    if project_id is None:
        return {}
    if preset.project_header is None:
        raise ConfigurationError(
            f"project_id: the preset “{preset.name}” has no header for a project.",
            argument="project_id",
        )
    name, value = check_header(preset.project_header, project_id, "project_id")
    return {name: value}


def _event_bytes(given: object) -> int:
    if given is None:
        return MOST_EVENT_BYTES
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise ConfigurationError(
            f"max_event_bytes must be a whole number above 0; it is {given!r}.",
            argument="max_event_bytes",
        )
    return given
