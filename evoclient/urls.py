"""Base URLs: what users paste, made into what requests are sent to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, quote, urlencode, urlsplit, urlunsplit

from .ground import ConfigurationError

__all__ = ["absolute_url", "is_readable_on_the_way", "joined", "normal_base"]

#: The end of a whole URL that somebody pasted as the base URL.
_ENDPOINTS: Final = ("/chat/completions", "/completions", "/embeddings", "/models")

#: Where a server has its API if the base URL has no path at all.
_USUAL_PATH: Final = "/v1"

#: What no host name holds (URL standard, "forbidden domain code points"), as far as urlsplit lets
#: it through: requests and aiohttp would read a percent sign differently, and so go to different
#: hosts. Labels end at 63 characters (RFC 1035).
_NOT_IN_HOSTS: Final = frozenset(' \t"%<>\\^`{|}')

#: An address of IPv6 in a URL, with what may follow it; a zone is written with %25 or %.
_IPV6: Final = re.compile(r"\[[0-9A-Fa-f:.]+(?:%(?:25)?[\w.~-]+)?\](?::[0-9]*)?", re.ASCII)

_SAFE_IN_PATH: Final = "/%:@!$&'()*+,;=~-._"


def normal_base(url: object, argument: str = "base_url") -> str:
    """Return a base URL without a slash at its end, ASCII only.

    A whole URL is cut to its base (``…/v1/chat/completions`` to ``…/v1``). A URL without any path
    gets ``/v1``; a server whose API is at its root is named by pasting the whole URL.

    Args:
        url: What the user gave.
        argument: The argument or variable that it came from, for the message.

    Raises:
        ConfigurationError: It is not an absolute http or https URL, or holds a credential.
    """
    if not isinstance(url, str) or not url.strip():
        raise ConfigurationError(f"{argument} must be a URL; it is {url!r}.", argument=argument)
    parts, host = _split(url.strip(), argument)
    path = parts.path.rstrip("/")
    for endpoint in _ENDPOINTS:
        if path.endswith(endpoint):
            path = path.removesuffix(endpoint).rstrip("/")
            break
    else:
        path = path or _USUAL_PATH
    return _put_together(parts, host, path)


def absolute_url(url: object, argument: str) -> str:
    """Return a URL that is asked as it is, ASCII only.

    Args:
        url: What the user gave.
        argument: The argument or variable that it came from, for the message.

    Raises:
        ConfigurationError: It is not an absolute http or https URL, or holds a credential.
    """
    if not isinstance(url, str) or not url.strip():
        raise ConfigurationError(f"{argument} must be a URL; it is {url!r}.", argument=argument)
    parts, host = _split(url.strip(), argument)
    return _put_together(parts, host, parts.path or "/")


def joined(base: str, path: str, query: Mapping[str, str]) -> str:
    """Return the URL of a request.

    Args:
        base: A normal base URL.
        path: The path below it, with its slash.
        query: Parameters, not yet encoded.
    """
    url = base + quote(path, safe=_SAFE_IN_PATH)
    return f"{url}?{urlencode(query)}" if query else url


def is_readable_on_the_way(url: str) -> bool:
    """Return whether what is sent to a URL crosses a network without encryption.

    That is plain HTTP to anything but this machine: localhost and the names below it (RFC 6761),
    127.0.0.0/8 and ::1.

    Args:
        url: A URL that `normal_base` or `absolute_url` has returned.
    """
    parts = urlsplit(url)
    return parts.scheme == "http" and not _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    name = host.removesuffix(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _split(url: str, argument: str) -> tuple[SplitResult, str]:
    try:
        url.encode()  # half a surrogate pair cannot be sent
        parts = urlsplit(url)
        if "[" in parts.netloc and not _IPV6.fullmatch(parts.netloc.rpartition("@")[2]):
            raise ValueError("the address in brackets is malformed")
        host = _ascii_host(parts.hostname or "")
        parts.port  # noqa: B018 - reading it checks that it is a number within range
    except ValueError as error:
        # The error may quote what stands before the host, or a password taken for a port.
        reason = "" if "@" in url else f": {error}"
        raise ConfigurationError(
            f"{argument}: {_shown(url)!r} is not a URL{reason}.", argument=argument
        ) from None
    if parts.scheme.lower() not in ("http", "https") or not host:
        raise ConfigurationError(
            f"{argument}: {_shown(url)!r} is not an absolute URL. It must begin with https:// or "
            "http:// and name a host, such as https://openrouter.ai/api/v1.",
            argument=argument,
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            f"{argument} holds a user name or password. Give credentials with api_key=.",
            argument=argument,
        )
    if parts.query or parts.fragment:
        raise ConfigurationError(
            f"{argument} has a query or a fragment. Give parameters with default_query=.",
            argument=argument,
        )
    return parts, host


def _put_together(parts: SplitResult, host: str, path: str) -> str:
    netloc = host if parts.port is None else f"{host}:{parts.port}"
    return urlunsplit((parts.scheme.lower(), netloc, quote(path, safe=_SAFE_IN_PATH), "", ""))


def _ascii_host(host: str) -> str:
    """Return the host as it goes over the wire: IDNA for names, brackets for IPv6."""
    if ":" in host:
        IPv6Address(host.partition("%")[0])  # raises a ValueError for what is none
        return f"[{host}]"
    # UnicodeError is a ValueError: too long a label ends up as "is not a URL".
    return _checked(host if host.isascii() else host.encode("idna").decode("ascii"))


def _checked(host: str) -> str:
    # A dot at the end names the root; an empty host is reported by the caller.
    labels = host.removesuffix(".").split(".") if host else ()
    is_bad = any(not 1 <= len(label) <= 63 for label in labels)
    if is_bad or not host.isprintable() or set(host) & _NOT_IN_HOSTS:
        raise ValueError("the host name is malformed")
    return host


def _shown(url: str) -> str:
    """Return a URL fit for a message: without user name, password and query."""
    scheme, separator, rest = url.partition("://")
    # What stands before an @ may be a credential, even one with a question mark in it.
    return f"{scheme}{separator}{rest}".rpartition("@")[2].partition("?")[0]
