"""Pools of connections for httpx, and what a transport tells them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpcore
import httpx

from .base import check_pool
from .environment import Cert, Proxies, Proxy, Verify, check_tls, tls_context
from .with_httpx_streams import AsyncBackend, Backend, Generation

__all__ = ["PoolKey", "Pools", "Settings", "TaskPool", "ThreadPool"]

#: Whether TLS, and the URL of the proxy.
PoolKey = tuple[bool, str | None]


class Settings:
    """What a transport was told, and how its pools are made."""

    def __init__(self, verify: Verify, cert: Cert, pool_size: int, keep_alive: float) -> None:
        """Take the arguments of a transport.

        Raises:
            ConfigurationError: One of them is wrong.
        """
        check_tls(verify, cert)
        check_pool(pool_size, keep_alive)
        self._verify: Verify = verify
        self._cert = cert
        self._pool_size = pool_size
        self._keep_alive = keep_alive
        self.proxies = Proxies()
        self.generation = Generation()

    def pool_options(self, secure: bool, proxy: Proxy | None) -> dict[str, Any]:
        """Return the arguments for a pool of httpcore."""
        options: dict[str, Any] = {
            "max_connections": None,
            "max_keepalive_connections": self._pool_size if self._keep_alive else 0,
            "keepalive_expiry": self._keep_alive,
        }
        if secure:
            options["ssl_context"] = tls_context(self._verify, self._cert)
        if proxy is not None:
            options["proxy_url"] = proxy.url
            if proxy.url.startswith("https:"):
                options["proxy_ssl_context"] = tls_context(self._verify, self._cert)
            if proxy.authorization is not None:
                options["proxy_headers"] = {"Proxy-Authorization": proxy.authorization}
        return options


class ThreadPool(httpx.HTTPTransport):
    """httpx's transport over our network streams. Its methods are the ones that mocks replace."""

    def __init__(self, settings: Settings, secure: bool, proxy: Proxy | None) -> None:
        """Open nothing yet."""
        options = settings.pool_options(secure, proxy)
        options["network_backend"] = Backend(settings.generation)
        kind = httpcore.ConnectionPool if proxy is None else httpcore.HTTPProxy
        self._pool = kind(**options)

    def close_idle(self) -> None:
        """Close what nobody uses; closing a socket under a reader would not wake it."""
        for connection in self._pool.connections:
            if connection.is_idle():
                connection.close()


class TaskPool(httpx.AsyncHTTPTransport):
    """The same for asyncio."""

    def __init__(self, settings: Settings, secure: bool, proxy: Proxy | None) -> None:
        """Open nothing yet."""
        options = settings.pool_options(secure, proxy)
        options["network_backend"] = AsyncBackend(settings.generation)
        kind = httpcore.AsyncConnectionPool if proxy is None else httpcore.AsyncHTTPProxy
        self._pool = kind(**options)


class Pools:
    """The connections of one event loop."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._pools: dict[PoolKey, TaskPool] = {}
        #: Tasks that close connections.
        self.endings: set[asyncio.Task[None]] = set()

    def of(self, settings: Settings, url: str) -> TaskPool:
        """Return the connections for a URL."""
        secure, proxy = url.startswith("https:"), settings.proxies.for_url(url)
        key = secure, None if proxy is None else proxy.url
        if key not in self._pools:
            self._pools[key] = TaskPool(settings, secure, proxy)
        return self._pools[key]

    async def close(self) -> None:
        """Close all of them; a stream that is open is cut."""
        for pool in self._pools.values():
            await pool.aclose()

    def abandon(self) -> None:
        """Let go of connections whose loop is closed, with which nothing can be done."""
        self._pools.clear()
