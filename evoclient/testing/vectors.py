"""Embeddings without a model: texts that share words get vectors that point alike."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from typing import Any

from .question import BadRequest
from .tokens import count_tokens

__all__ = ["embeddings"]

_USUAL = 256
_MOST = 4096
_WORD = re.compile(r"\w+")


def embeddings(body: Any) -> dict[str, Any]:
    """Answer an embeddings request.

    Raises:
        BadRequest: A field is missing or of the wrong kind.
    """
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        raise BadRequest("you must provide a model", "model")
    size = body.get("dimensions") or _USUAL
    if type(size) is not int or not 0 < size <= _MOST:
        raise BadRequest(f"dimensions must be between 1 and {_MOST}", "dimensions")
    packed = body.get("encoding_format") == "base64"
    texts = _texts(body.get("input"))
    data = [
        {"object": "embedding", "index": index, "embedding": _encode(_vector(text, size), packed)}
        for index, text in enumerate(texts)
    ]
    tokens = sum(map(count_tokens, texts))
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}


def _texts(given: Any) -> list[str]:
    """Read the four forms of input: a text, texts, token numbers, lists of token numbers."""
    items = given if isinstance(given, list) else [given]
    if items and all(type(item) is int for item in items):
        items = [items]
    texts = [" ".join(map(str, item)) if isinstance(item, list) else item for item in items]
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise BadRequest("input must be a text, or a list of texts or tokens", "input")
    return texts


def _vector(text: str, size: int) -> list[float]:
    """Add up one pseudo-random direction for each word and bring the sum to length 1."""
    total = [0.0] * size
    for word in _WORD.findall(text.lower()) or [text]:
        for index, value in enumerate(_direction(word, size)):
            total[index] += value
    length = math.hypot(*total)
    # Rounded to what 32 bits hold, so that both encodings carry the same numbers.
    single = struct.pack(f"<{size}f", *(value / length for value in total))
    return list(struct.unpack(f"<{size}f", single))


def _direction(word: str, size: int) -> list[float]:
    # Odd numbers over 2**16: never all zero, so that a sum of one word always has a length.
    digest = hashlib.shake_256(word.encode("utf-8", "replace")).digest(2 * size)
    return [(value | 1) / 65536 for value in struct.unpack(f"<{size}h", digest)]


def _encode(vector: list[float], packed: bool) -> list[float] | str:
    if not packed:
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
