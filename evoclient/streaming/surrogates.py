"""Join surrogate pairs that a server cut in two.

A server that escapes text beyond the basic plane may put the halves of a character into two
chunks ("\\ud83d" here, "\\ude00" there). Each half alone is not text: it cannot be printed.
"""

from __future__ import annotations

from ..models.chunks import ChatCompletionChunk

__all__ = ["Surrogates", "may_hold_surrogates"]


def may_hold_surrogates(payload: bytes | str) -> bool:
    """Return whether a JSON text may hold an escaped surrogate."""
    if isinstance(payload, bytes):
        return b"\\ud" in payload or b"\\uD" in payload
    return "\\ud" in payload or "\\uD" in payload


class Surrogates:
    """Holds the first half of a character back until the second half comes."""

    def __init__(self) -> None:
        """Start with nothing held."""
        self._held: dict[tuple[int, str], str] = {}

    def __bool__(self) -> bool:
        """Whether something is held back."""
        return bool(self._held)

    def mend(self, chunk: ChatCompletionChunk) -> None:
        """Put halves together in the texts of each choice; a lone half becomes U+FFFD."""
        for choice in chunk.choices:
            # A choice without a usable index is the first one, as in the assembly.
            given: object = choice.index
            index = given if isinstance(given, int) else 0
            for name in ("content", "reasoning", "refusal"):
                text: object = getattr(choice.delta, name)  # a server may send what is no text
                is_last = bool(choice.finish_reason) and (index, name) in self._held
                if (isinstance(text, str) and text) or (not text and is_last):
                    whole = self._mended((index, name), str(text or ""), choice.finish_reason)
                    setattr(choice.delta, name, whole)

    def _mended(self, place: tuple[int, str], text: str, finish_reason: object) -> str:
        text = self._held.pop(place, "") + text
        if "\ud800" <= text[-1] <= "\udbff" and not finish_reason:
            self._held[place] = text[-1]
            text = text[:-1]
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
