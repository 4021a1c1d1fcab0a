"""Heads of HTTP/1.1: that of a request as it is sent, that of a reply as it came.

http.client writes a head line by line and reads one with the parser of e-mails, which together
cost more than the rest of a request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from ..wire import Headers
from .framing import Malformed

__all__ = ["Head", "parsed_head", "request_head"]

_LINES = re.compile(
    rb"[!-~]+ [!-~]+ HTTP/1\.1\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [^\0\r\n]*\r\n)*\r\n"
)
_STATUS = re.compile(r"HTTP/1\.([0-9]) +([1-9][0-9]{2})(?: ([^\r\0]*))?\r?")
# Each line is looked at once: what could match in several ways would take for ever to refuse.
_FIELD = re.compile(r"^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\0\r\n]*)\r?\n", re.MULTILINE)
_FOLD = re.compile(r"\r?\n[ \t]+")
#: As in http.client: what a server may send beyond ASCII is taken byte by byte.
_ENCODING: Final = "latin-1"


class Head:
    """The head of a reply, in the form that urllib3 and requests want of a reply.

    Attributes:
        status: The status.
        reason: What the server calls it.
        headers: The fields as they came.
        keeps: Whether the connection may serve again after the body.
        length_remaining: Unknown here; urllib3 logs it.
    """

    length_remaining = None
    #: The connection that it came over.
    connection: Any = None
    #: urllib3 sets this, as on replies of its own.
    _pool: Any = None

    def __init__(self, minor: int, status: int, reason: str, headers: Headers) -> None:
        """Take the parts of a head, the minor version of HTTP first."""
        self.status = status
        self.reason = reason
        self.headers = headers
        self.version = 10 + minor
        self.version_string = f"HTTP/1.{minor}"
        connection = headers.get("connection", "").lower()
        self.keeps = "close" not in connection if minor else "keep-alive" in connection

    def release_conn(self) -> None:
        """Give the connection back to its pool."""
        if self._pool is None:
            self.close()
        else:
            self._pool._put_conn(self.connection)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def request_head(method: str, target: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return the head of a request as it goes over the wire.

    Args:
        method: The method.
        target: The path and query, or the URL for a proxy.
        headers: All the headers.

    Raises:
        Malformed: A part of it would break out of its line.
    """
    lines = [f"{method} {target} HTTP/1.1\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in headers]
    lines.append("\r\n")
    try:
        head = "".join(lines).encode(_ENCODING)
    except UnicodeEncodeError:
        head = b""  # its exception shows the whole text, and with it a key
    # The lines are counted, since what breaks out of one may look like two good ones.
    if head.count(b"\n") != len(lines) or not _LINES.fullmatch(head):
        # It is not shown: it holds a key.
        raise Malformed("a header, the method or the URL has characters that may not be sent")
    return head


def parsed_head(head: bytes) -> Head:
    """Return the parts of a head.

    Args:
        head: Its lines, without the empty one at the end.

    Raises:
        Malformed: It is not one of HTTP/1.
    """
    first, _, rest = f"{head.decode(_ENCODING)}\n".partition("\n")
    status = _STATUS.fullmatch(first)
    if status is None:
        raise Malformed("its first line is not that of an answer of HTTP/1")
    pairs = _FIELD.findall(rest)
    if len(pairs) != rest.count("\n"):
        # A value may go on in the next line (RFC 9112, section 5.2), which hardly any does.
        rest = _FOLD.sub(" ", rest)
        pairs = _FIELD.findall(rest)
        if len(pairs) != rest.count("\n"):
            raise Malformed("a line of its head is not a header")
    headers = Headers([(name, value.strip(" \t")) for name, value in pairs])
    return Head(int(status[1]), int(status[2]), status[3] or "", headers)
