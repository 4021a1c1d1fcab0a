"""What the environment says about proxies and certificates, the same for every transport."""

from __future__ import annotations

import os
import ssl
from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit
from urllib.request import (  # type: ignore[attr-defined]  # the stubs leave the second out
    getproxies_environment,
    proxy_bypass_environment,
)

import attrs

from ..ground import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Cert", "Proxies", "Proxy", "Verify", "check_tls", "tls_context"]

#: As in requests: whether to verify a server's certificate, or the CA file (or folder) to do so.
Verify = bool | str
#: As in requests: a file with certificate and key, or one file for each.
Cert = str | tuple[str, str] | None

#: Which variables may name a CA file, first come first served.
_CA_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")

#: Which variables may name a proxy, in either case.
_PROXY_VARIABLES: Final = ("http_proxy", "https_proxy", "all_proxy")


@attrs.frozen(eq=False)
class Proxy:
    """A proxy from the environment.

    Attributes:
        url: Its URL without credentials.
        authorization: The value of Proxy-Authorization, or None.
    """

    url: str
    authorization: str | None = attrs.field(default=None, repr=False)


class Proxies:
    """The proxies of the environment as they were when a transport was made."""

    def __init__(self) -> None:
        """Read `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case."""
        # Looking through all variables costs as much as a request; hardly anybody has one of these.
        has_any = any(name in os.environ or name.upper() in os.environ for name in _PROXY_VARIABLES)
        self._urls: Mapping[str, str] = getproxies_environment() if has_any else {}
        self._known: dict[tuple[str, str], Proxy | None] = {}

    def for_url(self, url: str) -> Proxy | None:
        """Return the proxy for a URL, or None.

        Raises:
            ConfigurationError: The variable does not hold the URL of an HTTP proxy.
        """
        if not self._urls:
            return None
        target = urlsplit(url)
        key = target.scheme, target.netloc
        if key not in self._known:
            self._known[key] = self._find(target)
        return self._known[key]

    def authorization(self, url: str) -> str | None:
        """Return the credentials for a proxy that `for_url` has returned."""
        known = (proxy for proxy in self._known.values() if proxy and proxy.url == url)
        return next((proxy.authorization for proxy in known), None)

    def _find(self, target: SplitResult) -> Proxy | None:
        """Look the proxy up: by scheme, then the one for everything."""
        host = target.netloc.rpartition("@")[2]
        if proxy_bypass_environment(host, dict(self._urls)):
            return None
        for name in (target.scheme, "all"):
            if name in self._urls:
                return _parsed(self._urls[name], f"{name.upper()}_PROXY")
        return None


def _parsed(text: str, variable: str) -> Proxy:
    """Return a proxy from the text of a variable, which is never shown: it may hold a password."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigurationError(
            f"{variable} must be the URL of an HTTP proxy, as http://host:port; SOCKS is not "
            "supported. Mend or unset it, or name the host in NO_PROXY.",
            argument=variable,
        )
    host = f"[{host}]" if ":" in host else host
    place = host if port is None else f"{host}:{port}"
    return Proxy(urlunsplit((parts.scheme, place, "", "", "")), _basic(parts))


def _basic(parts: SplitResult) -> str | None:
    """Return credentials from a URL as the value of a header, or None."""
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def check_tls(verify: Verify, cert: Cert) -> None:
    """Refuse paths that lead nowhere, before anything is sent.

    Raises:
        ConfigurationError: `verify` or `cert` names a file that is not there.
    """
    if isinstance(verify, str):
        _existing(verify, "verify")
    for path in (cert,) if isinstance(cert, str) else cert or ():
        _existing(path, "cert")


def _existing(path: str, argument: str) -> str:
    """Return a path, or say that nothing is there."""
    if not os.path.exists(path):
        raise ConfigurationError(f"{argument}: there is no file {path!r}.", argument=argument)
    return path


def tls_context(verify: Verify, cert: Cert) -> ssl.SSLContext:
    """Return the TLS settings for a choice of `verify` and `cert`.

    The CA file is `verify`, else the one in `REQUESTS_CA_BUNDLE` or `SSL_CERT_FILE`, else
    certifi's. One context serves the whole process, since each costs 20 ms and some memory.

    Raises:
        ConfigurationError: A file is not there or not what it should be.
    """
    if verify is False:
        return _context(None, "verify", cert)
    if isinstance(verify, str):
        return _context(verify, "verify", cert)
    for variable in _CA_VARIABLES:
        if path := os.environ.get(variable):
            return _context(_existing(path, variable), variable, cert)
    import certifi

    return _context(certifi.where(), "verify", cert)


@cache
def _context(authorities: str | None, argument: str, cert: Cert) -> ssl.SSLContext:
    """Make a context that trusts a CA file or folder; None trusts everybody."""
    try:
        if authorities is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif os.path.isdir(authorities):
            context = ssl.create_default_context(capath=authorities)
        else:
            context = ssl.create_default_context(cafile=authorities)
    except (ssl.SSLError, OSError) as exc:
        raise ConfigurationError(
            f"{argument}: {authorities!r} is not a file of CA certificates in PEM format.",
            argument=argument,
        ) from exc
    try:
        if cert is not None:
            # With a password that is wrong, OpenSSL complains instead of asking the terminal.
            chain, key = (cert, None) if isinstance(cert, str) else cert
            context.load_cert_chain(chain, key, password="")
    except (ssl.SSLError, OSError) as exc:
        raise ConfigurationError(
            f"cert: {cert!r} does not hold a client certificate and its unencrypted key in PEM "
            "format.",
            argument="cert",
        ) from exc
    context.set_alpn_protocols(["http/1.1"])
    return context
