"""Auth schemes by name: what others offer through the entry point group ``evoclient.auth``."""

from __future__ import annotations

from typing import Final

from ..ground import ConfigurationError
from ..log import logger
from .base import Auth, NoAuth

__all__ = ["GROUP", "auth_scheme"]

#: An entry point of this group names a function without arguments that returns an auth scheme.
GROUP: Final = "evoclient.auth"

#: What a scheme must be able to do.
_METHODS: Final = ("authorise", "refused", "token_info")


def auth_scheme(name: str) -> Auth:
    """Return the auth scheme of a name.

    Entry points are read only for a name that is not built in, as that takes a while.

    Args:
        name: "none", or the name of an entry point.

    Raises:
        ConfigurationError: There is no such scheme, or it cannot be made; it is named.
    """
    if name == "none":
        return NoAuth()
    from importlib.metadata import entry_points  # costs some 30 ms

    found = entry_points(group=GROUP)
    for entry in found:
        if entry.name != name:
            continue
        try:
            scheme: Auth = entry.load()()
        except Exception as error:  # whatever a plugin raises
            raise ConfigurationError(
                f"auth: the scheme {name!r} ({entry.value}) cannot be used: "
                f"{type(error).__name__}: {error}",
                argument="auth",
            ) from error
        missing = [method for method in _METHODS if not callable(getattr(scheme, method, None))]
        if missing:
            raise ConfigurationError(
                f"auth: the scheme {name!r} ({entry.value}) cannot be used: what it gives, of type "
                f"{type(scheme).__name__}, has no {' and no '.join(missing)}. A scheme inherits "
                "from evoclient.auth.base.Auth.",
                argument="auth",
            )
        logger.debug("auth scheme %r comes from %s", name, entry.value)
        return scheme
    names = ", ".join(repr(known) for known in ("none", *sorted({entry.name for entry in found})))
    raise ConfigurationError(
        f"auth: there is no auth scheme {name!r}. There are: {names}.", argument="auth"
    )
