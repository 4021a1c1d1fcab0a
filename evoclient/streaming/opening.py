"""The first bytes of a body tell what it is; its content type may lie.

An event stream begins with ``data``, ``event``, ``id``, ``retry`` or a colon. A brace is a whole
JSON answer (some servers do not stream, and errors under 200 are JSON), an angle bracket a web
page.
"""

from __future__ import annotations

from ..errors.tree import StreamDecodeError
from ..ground import Secrets, elide, mask
from .sse import Framing, Wire

__all__ = ["Opening"]

_BOM = b"\xef\xbb\xbf"

# How much of the beginning of a body is kept (in bytes) and shown (in characters).
_MOST_KEPT, _MOST_SHOWN = 4096, 200


class Opening:
    """Chooses how a body is read, then reads it so: `feed` bytes, get events."""

    def __init__(self, most: int, secrets: Secrets) -> None:
        """Start with nothing known.

        Args:
            most: The most bytes of one event, or of a whole answer.
            secrets: What must not be shown in an error.
        """
        self._most = most
        self._secrets = secrets
        self._first = b""
        self._framing: Framing | None = None
        self._whole: bytearray | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the body is a whole JSON answer."""
        return self._whole is not None

    @property
    def beginning(self) -> str:
        """The first characters of the body, for the message of an error."""
        # Masked before it is cut, so that no part of a secret is left at the end.
        return mask(self._first.decode("utf-8", "replace").strip(), self._secrets)[:_MOST_SHOWN]

    def feed(self, piece: bytes) -> list[Wire]:
        """Take bytes and return the events that they complete.

        Raises:
            StreamDecodeError: It is a web page, or an event is too large.
        """
        if self._framing is not None:
            if 0 < len(self._first) < _MOST_KEPT:
                self._first += piece[:_MOST_KEPT]
            return self._framing.feed(piece)
        if self._whole is not None:
            return self._keep(piece)
        return self._choose(self._first + piece)

    def forget(self) -> None:
        """Let go of the first characters, which are of interest until a chunk has come."""
        if self._framing is not None:
            self._first = b""

    def finish(self) -> list[Wire]:
        """Return what is left at the end of the body: an unfinished event, or a whole answer."""
        if self._whole is not None:
            return [bytes(self._whole)]
        return self._framing.finish() if self._framing is not None else []

    def _choose(self, first: bytes) -> list[Wire]:
        if len(first) < len(_BOM) and _BOM.startswith(first):
            # A byte order mark may be cut.
            self._first = first
            return []
        seen = first.removeprefix(_BOM).lstrip()
        # White space at the beginning is dropped, wherever it was cut. One space stays in its
        # place: a byte order mark behind it is none.
        self._first = seen[:_MOST_KEPT] or b" "
        if not seen:
            # Only white space so far: servers send it to show that they are at work.
            return []
        if seen[:1] in (b"{", b"["):
            self._whole = bytearray()
            return self._keep(seen)
        if seen[:1] == b"<":
            raise self._web_page(seen)
        self._framing = Framing(self._most)
        return self._framing.feed(seen)

    def _keep(self, piece: bytes) -> list[Wire]:
        assert self._whole is not None
        self._whole += piece
        if len(self._whole) > self._most:
            raise StreamDecodeError(
                f"A stream was asked for, and a JSON answer of more than {self._most} bytes "
                "came. Ask without stream=True, or raise max_event_bytes of the client.",
                details={"max_event_bytes": self._most},
            )
        return []

    def _web_page(self, seen: bytes) -> StreamDecodeError:
        shown = elide(mask(seen.decode("utf-8", "replace"), self._secrets), 300)
        return StreamDecodeError(
            f"A stream was asked for, and a web page came: {shown!r}. Check base_url: it should "
            "be the address of the API, and no login page or proxy should stand before it.",
        )
