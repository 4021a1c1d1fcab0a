"""Which credential is sent, and where it may be sent.

What is given wins over the environment. A credential from the environment is sent only to its own
preset's addresses, or to those that the preset's own variables name.
"""

from __future__ import annotations

import os
from typing import Any, Final

import attrs

from .auth.base import Auth, NoAuth
from .auth.bearer import ApiKey, Bearer
from .environment import first_set, variable
from .ground import SENSITIVE_HEADERS, ConfigurationError
from .log import logger
from .providers.base import Provider
from .providers.presets import TOKEN_URL
from .settings import Settings
from .urls import absolute_url, is_readable_on_the_way, normal_base

__all__ = [
    "SENSITIVE_PARAMETERS",
    "Credentials",
    "Given",
    "auth_for",
    "has_credentials",
    "is_exposed",
    "warn_of_exposure",
]

#: Query parameters that are credentials (Google, Azure and gateways), in lower case.
SENSITIVE_PARAMETERS: Final = frozenset(
    {
        "access_token",
        "api-key",
        "api_key",
        "apikey",
        "code",
        "key",
        "password",
        "secret",
        "sig",
        "subscription-key",
        "token",
    }
)


class Given:
    """The arguments that a client was made with; None is "not given".

    Its repr, which tracebacks show, names them and shows no value.
    """

    __slots__ = ("_arguments",)

    def __init__(self, **arguments: Any) -> None:
        """Keep the arguments that are not None."""
        self._arguments = {name: value for name, value in arguments.items() if value is not None}

    def get(self, *names: str) -> dict[str, Any]:
        """Return some of the arguments by name, None for what was not given."""
        return {name: self._arguments.get(name) for name in names}

    def with_changes(self, **arguments: Any) -> Given:
        """Return the arguments with some of them changed; None takes one away."""
        return Given(**{**self._arguments, **arguments})

    def for_a_pickle(self, kind: str) -> dict[str, Any]:
        """Return the arguments from which another process can make the client anew.

        Args:
            kind: What the client is called, for the message.

        Raises:
            TypeError: One of them is a credential, or cannot be pickled; it is named.
        """
        for name, value in self._arguments.items():
            if problem := _cannot_travel(name, value):
                raise TypeError(
                    f"This {kind} is not pickled, because {problem}. A client whose credentials "
                    "come from the environment is pickled without them, and reads them again; or "
                    "make a new one in the other process."
                )
        return dict(self._arguments)

    def __repr__(self) -> str:
        """Return the names."""
        return f"Given({', '.join(self._arguments)})"


def _cannot_travel(name: str, value: Any) -> str | None:
    """Say why an argument must not or cannot be pickled, if so."""
    if name in ("api_key", "key_id", "secret") or (name == "auth" and not isinstance(value, str)):
        return f"it was given a credential ({name}), which no pickle should hold"
    if name == "transport" and not isinstance(value, str):
        return "it was given a transport object, whose connections belong to this process"
    sensitive = {"default_headers": SENSITIVE_HEADERS, "default_query": SENSITIVE_PARAMETERS}
    for inner in value if name in sensitive else ():
        if inner.lower() in sensitive[name]:
            return f"it was given a credential in {name} ({inner})"
    import pickle  # loaded long since by whoever pickles

    try:
        pickle.dumps(value)
    except Exception as error:  # whatever the classes of users raise
        return f"its {name} cannot be pickled ({type(error).__name__}: {error})"
    return None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Credentials:
    """What a user gave to say who they are; None is "not given".

    Attributes:
        api_key: A key, or a function that gives one.
        key_id: The id of a key pair.
        secret: Its secret.
        token_url: Where the pair is exchanged.
        auth: An auth scheme, or the name of one.
    """

    api_key: ApiKey | None = attrs.field(default=None, repr=False)
    key_id: str | None = attrs.field(default=None, repr=False)
    secret: str | None = attrs.field(default=None, repr=False)
    token_url: str | None = None
    auth: Auth | str | None = None

    @property
    def is_given(self) -> bool:
        """Whether the user gave a credential."""
        return any(
            value is not None for value in (self.api_key, self.key_id, self.secret, self.auth)
        )

    def check(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            ConfigurationError: Two ways are given, or half a pair, or no auth scheme.
        """
        pair = (self.key_id, self.secret)
        if (pair[0] is None) != (pair[1] is None):
            missing = "secret" if pair[1] is None else "key_id"
            raise ConfigurationError(
                f"{missing} is missing: key_id and secret go together.", argument=missing
            )
        ways = {"auth": self.auth, "api_key": self.api_key, "key_id and secret": self.key_id}
        given = [name for name, value in ways.items() if value is not None]
        if len(given) > 1:
            raise ConfigurationError(
                f"Give one of {' and '.join(given)}, not both.", argument=given[0]
            )
        is_scheme = callable(getattr(self.auth, "authorise", None))
        if not (self.auth is None or isinstance(self.auth, str) or is_scheme):
            raise ConfigurationError(
                "auth must be an auth scheme such as Bearer(…), or the name of one; it is of type "
                f"{type(self.auth).__name__}.",
                argument="auth",
            )


def has_credentials(preset: Provider) -> bool:
    """Return whether the environment holds a whole credential of a preset."""
    pair = preset.key_id_variables, preset.secret_variables
    return first_set(preset.api_key_variables) is not None or all(map(first_set, pair))


def auth_for(preset: Provider, base: str, given: Credentials) -> Auth:
    """Return the auth scheme for what is given or found.

    Args:
        preset: The preset.
        base: Where requests go; a normal base URL.
        given: What the user gave; checked.

    Raises:
        ConfigurationError: A credential is needed and there is none that may be sent there.
    """
    if given.auth is not None:
        return _scheme(given.auth) if isinstance(given.auth, str) else given.auth
    if given.api_key is not None:
        return Bearer(given.api_key)
    if given.key_id is not None and given.secret is not None:
        return _key_pair(given.key_id, given.secret, _token_url(preset, given))
    if not has_credentials(preset):
        if not preset.needs_key:
            return NoAuth()
        raise _needed(preset, _half_pair(preset) or _how_to_give(preset))
    foreign = _foreign_address(preset, base, given)
    if foreign is None:
        return _from_environment(preset)
    if not preset.needs_key:
        return NoAuth()
    raise _needed(
        preset,
        f"what {_found_in(preset)} holds is only sent to the preset's own address, and this is "
        f"{foreign}. Pass a credential to the client for it",
    )


def is_exposed(settings: Settings) -> bool:
    """Return whether a client sends a credential where others can read it on the way."""
    if not is_readable_on_the_way(settings.base_url):
        return False
    if not isinstance(settings.auth, NoAuth):
        return True
    sent = [name for name, value in settings.headers.items() if value is not None]
    sensitive = SENSITIVE_HEADERS | SENSITIVE_PARAMETERS
    return any(name.lower() in sensitive for name in (*sent, *settings.query))


def warn_of_exposure(settings: Settings) -> None:
    """Log that a client's credential can be read on the way. To be called once for a client."""
    logger.warning(
        "a credential goes to %s without encryption, and whoever is on the way can read it: use "
        "https://",
        settings.base_url,
    )


# The schemes that few clients use are loaded for those.


def _scheme(name: str) -> Auth:
    from .auth.registry import auth_scheme

    return auth_scheme(name)


def _key_pair(key_id: str, secret: str, token_url: str) -> Auth:
    from .auth.key_pair import KeyPair

    return KeyPair(key_id, secret, token_url=token_url)


def _foreign_address(preset: Provider, base: str, given: Credentials) -> str | None:
    """Return the address to which a credential from the environment may not be sent, or None."""
    if not _is_own_url(preset, base):
        return base
    if given.token_url is None:
        return None
    asked = absolute_url(given.token_url, "token_url")
    return None if asked == _token_url(preset, Credentials()) else asked


def _from_environment(preset: Provider) -> Auth:
    key_id, secret = variable(preset.key_id_variables), variable(preset.secret_variables)
    if key_id is not None and secret is not None:
        address = _token_url(preset, Credentials())
        try:
            return _key_pair(key_id, secret, address)
        except ConfigurationError as error:
            names = (
                preset.key_id_variables if error.argument == "key_id" else preset.secret_variables
            )
            raise _wrong(str(first_set(names)), error) from None
    name = first_set(preset.api_key_variables)
    assert name is not None
    try:
        return Bearer(os.environ[name])
    except ConfigurationError as error:
        raise _wrong(name, error) from None


def _wrong(variable: str, error: ConfigurationError) -> ConfigurationError:
    return ConfigurationError(
        f"The environment variable {variable}: {error.message}", argument=variable
    )


def _token_url(preset: Provider, given: Credentials) -> str:
    if given.token_url is not None:
        return absolute_url(given.token_url, "token_url")
    name = first_set(preset.token_url_variables)
    if name is not None:
        return absolute_url(os.environ[name], name)
    return preset.token_url or TOKEN_URL


def _is_own_url(preset: Provider, base: str) -> bool:
    name = first_set(preset.base_url_variables)
    if name is not None and base == normal_base(os.environ[name], name):
        return True
    return preset.base_url is not None and base == normal_base(preset.base_url)


def _found_in(preset: Provider) -> str:
    key_id, secret = first_set(preset.key_id_variables), first_set(preset.secret_variables)
    return (
        f"{key_id} and {secret}" if key_id and secret else str(first_set(preset.api_key_variables))
    )


def _half_pair(preset: Provider) -> str | None:
    """Return what is wrong where the environment holds one half of a pair, else None."""
    key_id, secret = first_set(preset.key_id_variables), first_set(preset.secret_variables)
    if (key_id is None) == (secret is None):
        return None
    missing = preset.secret_variables if key_id else preset.key_id_variables
    return f"{key_id or secret} is set, but {' or '.join(missing)} is not, and they go together"


def _how_to_give(preset: Provider) -> str:
    ways = []
    if preset.key_id_variables and preset.secret_variables:
        names = f"{preset.key_id_variables[0]} and {preset.secret_variables[0]}"
        ways.append(f"pass key_id=“…” and secret=“…” or set {names}")
    ways.append(f"pass api_key=“…” or set {' or '.join(preset.api_key_variables)}")
    return ", or ".join(ways)


def _needed(preset: Provider, problem: str) -> ConfigurationError:
    where = f" A key can be had at {preset.keys_url}." if preset.keys_url else ""
    return ConfigurationError(
        f"The preset “{preset.name}” needs a key: {problem}.{where}",
        argument="api_key",
        provider=preset.name,
    )
