"""Pools of our connections: any number in use, a bounded number idle, no lock across a fork."""

from __future__ import annotations

import queue
from typing import Any, Final, cast

from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .with_requests_sockets import Timed, TimedTLS, current_exchange

__all__ = ["POOLS"]

#: How many idle connections to one host are kept.
_MOST_IDLE: Final = 100


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

    def _get_conn(self, timeout: float | None = None) -> Any:
        """Return an idle connection, or a new one."""
        return self._new_conn() if current_exchange().fresh else super()._get_conn(timeout)

    def _put_conn(self, conn: Any) -> None:
        """Keep a connection, unless there are enough."""
        if conn is None:
            return
        if self.pool is None or self.pool.qsize() >= _MOST_IDLE:
            conn.close()
        else:
            super()._put_conn(conn)


class _TLSPool(_Pool, HTTPSConnectionPool):
    """The same for TLS."""

    ConnectionCls = TimedTLS

    def _validate_conn(self, conn: Any) -> None:
        """Connect, without the warning about `verify=False`, which the user has asked for."""
        if conn.is_closed:
            conn.connect()


#: For the `pool_classes_by_scheme` of a pool manager.
POOLS: Final[dict[str, Any]] = {"http": _Pool, "https": _TLSPool}
