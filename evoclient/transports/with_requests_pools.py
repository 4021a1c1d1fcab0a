"""Pools of our connections: any number in use, a bounded number idle, no lock across a fork."""

from __future__ import annotations

import queue
from functools import partial
from time import monotonic
from typing import Any, cast

from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .with_requests_sockets import Timed, TimedTLS, current_exchange

__all__ = ["pools"]


class _Idle:
    """Idle connections, the newest on top. It holds no lock that a fork could leave taken."""

    def __init__(self, _maxsize: int = 0) -> None:
        self._stack: list[Any] = []

    def get(self, block: bool = False, timeout: float | None = None) -> Any:
        try:
            return self._stack.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, item: Any, block: bool = False) -> None:
        self._stack.append(item)

    def qsize(self) -> int:
        return len(self._stack)


class _Pool(HTTPConnectionPool):
    """Connections to one host: any number in use, a bounded number idle."""

    ConnectionCls = Timed
    QueueCls = cast("Any", _Idle)

    def __init__(self, *args: Any, pool_size: int, keep_alive: float, **options: Any) -> None:
        """Take how many idle connections to keep, and for how many seconds."""
        super().__init__(*args, **options)
        self._pool_size = pool_size
        self._keep_alive = keep_alive

    def _get_conn(self, timeout: float | None = None) -> Any:
        """Return an idle connection, or a new one."""
        if current_exchange().fresh:
            return self._new_conn()
        pool = self.pool  # once, as another thread may close it
        while pool is not None and pool.qsize():
            try:
                conn = pool.get(block=False)
            except queue.Empty:  # another thread was faster
                break
            if monotonic() < conn.idle_since + self._keep_alive:
                pool.put(conn)
                break
            conn.close()
        return super()._get_conn(timeout)

    def _put_conn(self, conn: Any) -> None:
        """Keep a connection, unless there are enough."""
        if conn is None:
            return
        pool = self.pool
        if not self._keep_alive or pool is None or pool.qsize() >= self._pool_size:
            conn.close()
        else:
            conn.idle_since = monotonic()
            super()._put_conn(conn)


class _TLSPool(_Pool, HTTPSConnectionPool):
    """The same for TLS."""

    ConnectionCls = TimedTLS

    def _validate_conn(self, conn: Any) -> None:
        """Connect, without the warning about `verify=False`, which the user has asked for."""
        if conn.is_closed:
            conn.connect()


def pools(pool_size: int, keep_alive: float) -> dict[str, Any]:
    """Return what makes a pool, for the `pool_classes_by_scheme` of a pool manager.

    Args:
        pool_size: The most idle connections to one host.
        keep_alive: How long they are kept, in seconds.
    """
    made = {"http": _Pool, "https": _TLSPool}
    return {
        scheme: partial(kind, pool_size=pool_size, keep_alive=keep_alive)
        for scheme, kind in made.items()
    }
