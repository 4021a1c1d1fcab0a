"""What everything else stands on: the root of the errors, one sentinel, and hiding secrets.

This module imports nothing of ours, so any room may use it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final, final
from urllib.parse import quote

__all__ = [
    "NOT_GIVEN",
    "SENSITIVE_HEADERS",
    "ConfigurationError",
    "EvoClientError",
    "NotGiven",
    "Secrets",
    "SecretsFinder",
    "elide",
    "mask",
    "redacted",
    "secrets_in",
    "secrets_of",
]

#: Headers whose values are credentials, in lower case.
SENSITIVE_HEADERS: Final = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "api-key",
        "x-api-key",
        "x-goog-api-key",
        "cookie",
        "set-cookie",
    }
)

#: What stands where a secret was.
MASK: Final = "***"

#: Shorter values are not looked for in texts: masking every "a" would hide the text itself.
SHORTEST_SECRET: Final = 6


@final
class NotGiven:
    """The type of `NOT_GIVEN`, which tells "not passed" from `None`. It is false."""

    _only: NotGiven | None = None

    def __new__(cls) -> NotGiven:
        """Return the one instance, also when unpickled or copied."""
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __bool__(self) -> bool:
        """Return False, as `None` would."""
        return False

    def __repr__(self) -> str:
        """Return the name users import."""
        return "NOT_GIVEN"

    def __reduce__(self) -> tuple[type[NotGiven], tuple[()]]:
        """Pickle as the one instance."""
        return NotGiven, ()


NOT_GIVEN: Final = NotGiven()


class EvoClientError(Exception):
    """Whatever evoclient raises.

    Attributes:
        message: What happened, where, and what to do next.
        details: Further facts by name; never a secret.
        retryable: Whether the same call may succeed later.
        request_id: The server's name for the request, or None.
        provider: The name of the preset that was talked to, or None.
        attempts: The failures of earlier attempts of the same call, newest first.
    """

    def __init__(
        self,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        retryable: bool = False,
        request_id: str | None = None,
        provider: str | None = None,
    ) -> None:
        """Keep the message and the facts around it."""
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})
        self.retryable = retryable
        self.request_id = request_id
        self.provider = provider
        self.attempts: tuple[EvoClientError, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by attributes: subclasses differ in the arguments they take."""
        return _revived, (type(self), self.args, dict(self.__dict__))

    def __copy__(self) -> EvoClientError:
        """Copy with the cause, which pickling leaves behind."""
        twin = _revived(type(self), self.args, dict(self.__dict__))
        twin.__cause__ = self.__cause__
        twin.__suppress_context__ = self.__suppress_context__
        return twin


def _revived(
    kind: type[EvoClientError], args: tuple[Any, ...], state: dict[str, Any]
) -> EvoClientError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(EvoClientError, ValueError):
    """An argument, a setting or an environment variable is wrong; nothing was sent.

    Attributes:
        argument: The name of the argument or variable that is wrong, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        argument: str | None = None,
        details: Mapping[str, Any] | None = None,
        provider: str | None = None,
    ) -> None:
        """Keep the message and the name of what is wrong."""
        super().__init__(message, details=details, provider=provider)
        self.argument = argument


class Secrets(tuple[str, ...]):
    """Credentials to look for in texts. Its repr, which tracebacks show, tells only how many."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return how many there are."""
        return f"Secrets({len(self)})"


def secrets_in(headers: Iterable[tuple[str, str]]) -> Secrets:
    """Return the credentials among headers, longest first.

    Args:
        headers: Pairs of name and value, as they are sent.

    Returns:
        For each sensitive header its value, and the part after the scheme ("Bearer …").
    """
    return _secrets_in([value for name, value in headers if name.lower() in SENSITIVE_HEADERS])


def _secrets_in(values: Iterable[str]) -> Secrets:
    parts = set[str]()
    for value in values:
        parts |= {value.partition(" ")[2] or value, value.rpartition(" ")[2]}
    long_enough = {value for value in values if len(value) >= SHORTEST_SECRET}
    return Secrets(sorted(long_enough.union(secrets_of(parts)), key=len, reverse=True))


class SecretsFinder:
    """Finds what must not be shown of a request; for one like the last it knows already.

    It costs some microseconds, and the requests of a client mostly bear the same credential.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._last: tuple[tuple[str, ...], tuple[str, ...], Secrets] = ((), (), Secrets())

    def find(self, headers: Iterable[tuple[str, str]], known: tuple[str, ...]) -> Secrets:
        """Return the credentials among headers, see `secrets_in`, and those known besides.

        Args:
            headers: Pairs of name and value, as they are sent.
            known: Secrets in all their forms.
        """
        values = tuple(value for name, value in headers if name.lower() in SENSITIVE_HEADERS)
        last_values, last_known, found = self._last
        if values != last_values or known != last_known:
            found = Secrets((*_secrets_in(values), *known))
            self._last = values, known, found  # at once, as other threads may look
        return found


def secrets_of(credentials: Iterable[str]) -> Secrets:
    """Return credentials in all the forms in which an echo may hold them, longest first.

    Args:
        credentials: Any strings; those too short to be looked for are left out.
    """
    forms: set[str] = set()
    for secret in credentials:
        if len(secret) >= SHORTEST_SECRET:
            forms |= _forms(secret)
    return Secrets(sorted(forms, key=len, reverse=True))


# Few secrets have such characters: these two are not compiled before there is one.
_ENCODED = "%[0-9A-F]{2}"
_NOT_IN_HTML = r"[\"&'+<>`]"
_PLAIN = re.compile(r"[\w.~-]*", re.ASCII)


def _forms(secret: str) -> set[str]:
    """Return a secret as it is, and as JSON, URLs, HTML and base64 may spell it."""
    forms = {secret, *_in_base64(secret.encode())}
    if not _PLAIN.fullmatch(secret):
        encoded = quote(secret, safe="")
        in_lower_case = re.sub(_ENCODED, lambda found: found[0].lower(), encoded)
        forms |= {encoded, encoded.replace("%20", "+"), in_lower_case}
        escaped = secret.replace("\\", "\\\\").replace('"', '\\"')
        forms |= {escaped, escaped.replace("/", "\\/")}
        # As .NET and Go write what HTML would take for its own.
        forms |= {re.sub(_NOT_IN_HTML, lambda found: f"\\u{ord(found[0]):04x}", secret)}
        forms |= {re.sub(_NOT_IN_HTML, lambda found: f"\\u{ord(found[0]):04X}", secret)}
        forms.add(secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
        # Libraries quote bytes by their repr.
        forms |= {form.replace("\\", "\\\\") for form in forms}
    return forms


def _in_base64(secret: bytes) -> set[str]:
    """Return what base64 makes of a secret wherever it stands in a longer text."""
    forms: set[str] = set()
    for before in range(3):
        whole = b64encode(bytes(before) + secret).decode()
        # Characters at the edges depend on the neighbours too.
        core = whole[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms


def mask(text: str, secrets: Iterable[str]) -> str:
    """Return the text with each secret in it replaced by ``***``."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASK)
    return text


def redacted(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers fit for a log or a repr: sensitive values are ``***``."""
    return {name: MASK if name.lower() in SENSITIVE_HEADERS else value for name, value in headers}


_LONG_BASE64 = re.compile(r"[A-Za-z0-9+/=_-]{200,}")


def elide(text: str, limit: int) -> str:
    """Shorten a text for people: long base64 first, then the end.

    Args:
        text: Any text.
        limit: The most characters to keep.

    Returns:
        The text itself where it is short enough; otherwise its beginning and how much is missing.
    """
    text = _LONG_BASE64.sub(lambda found: f"<{len(found[0])} characters of data>", text)
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit} more characters)"
