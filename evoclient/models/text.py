"""Finding the text and the reasoning of a message or delta, whatever shape they were sent in."""

from __future__ import annotations

import re
from typing import Any, Final

from .codec import plain

__all__ = ["content_of", "has_reasoning_as", "mended", "reasoning_key", "reasoning_of"]

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_TEXT_TYPES: Final = (None, "text", "output_text")
_THINKING_TYPES: Final = ("thinking", "reasoning")


def mended(text: str) -> str:
    """Join halves of surrogate pairs to characters; a half alone becomes U+FFFD.

    Servers that cut a text at any place of its UTF-16 send the halves in two chunks. No file,
    terminal or request can carry a half, so none may stay.
    """
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def content_of(raw: dict[str, Any]) -> Any:
    """Return the content as text: parts (Mistral) are joined, thinking left out."""
    found = raw.get("content")
    if isinstance(found, (list, dict)):
        return _joined(found, _TEXT_TYPES, "text")
    return found


def reasoning_of(raw: dict[str, Any]) -> Any:
    """Return the reasoning: `reasoning`, `reasoning_content`, or the thinking parts of content."""
    found = raw.get(reasoning_key(raw))
    if found is not None and found != "":
        return plain(found)
    content = raw.get("content")
    if isinstance(content, list) and any(_is_thinking(part) for part in content):
        return _joined(content, _THINKING_TYPES, "thinking")
    return found


def reasoning_key(raw: dict[str, Any]) -> str:
    """Return the name under which this message or delta has its reasoning."""
    for key in ("reasoning", "reasoning_content"):
        if raw.get(key):
            return key
    alone = "reasoning_content" in raw and "reasoning" not in raw
    return "reasoning_content" if alone else "reasoning"


def has_reasoning_as(name: str, raw: dict[str, Any]) -> bool:
    """Return whether a field that the records do not know is the text of the reasoning."""
    found = raw.get(name) if name == "reasoning_content" else None
    return type(found) is str and found != "" and reasoning_key(raw) == name


def _is_thinking(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") in _THINKING_TYPES


def _joined(parts: Any, types: tuple[str | None, ...], key: str) -> str:
    """Return the text of the parts of some types; the parts of a thinking part are its text."""
    if isinstance(parts, str):
        return parts
    if isinstance(parts, dict):
        parts = [parts]
    if not isinstance(parts, list):
        return ""
    found = []
    for part in parts:
        if isinstance(part, str):
            found.append(part if key == "text" else "")
        elif isinstance(part, dict) and part.get("type") in types:
            found.append(_joined(part.get(key, part.get("text")), _TEXT_TYPES, "text"))
    return "".join(found)
