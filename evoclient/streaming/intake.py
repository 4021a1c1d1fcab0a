"""What every reader of a body shares: patience, and the undoing of a content encoding."""

from __future__ import annotations

from ..wire import Deadline
from .inflate import Inflate
from .timing import Patience

__all__ = ["BodyIntake"]


class BodyIntake:
    """Takes blocks as they come, and gives decoded pieces of at most 64 KiB to `_take`."""

    def __init__(self, patience: Patience, encoding: str | None) -> None:
        """Start reading.

        Args:
            patience: How long each read may take.
            encoding: The value of Content-Encoding, or None.

        Raises:
            InflateError: The encoding is not known.
        """
        self._patience = patience
        is_plain = encoding is None or encoding.strip().lower() in ("", "identity")
        self._inflate = None if is_plain or encoding is None else Inflate(encoding)

    @property
    def pending(self) -> bool:
        """Whether bytes already taken are still to be worked on."""
        return self._inflate is not None and self._inflate.pending

    def deadline(self) -> Deadline | None:
        """Return how long the next read may take."""
        return self._patience.deadline()

    def _plain(self, block: bytes) -> bytes:
        """Return the next decoded piece; an empty block asks for more of what is pending.

        Raises:
            InflateError: The bytes are malformed.
        """
        if self._inflate is None:
            return block
        self._inflate.give(block)
        return self._inflate.take()
