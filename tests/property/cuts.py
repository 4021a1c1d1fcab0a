"""Strategies: bytes as a network might cut them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes at places; pieces are never empty."""
    bounds = [0, *sorted({place for place in places if 0 < place < len(data)}), len(data)]
    found = [data[a:b] for a, b in pairwise(bounds)]
    return [piece for piece in found if piece]


@st.composite
def cuts(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """Draw a way to cut bytes: at random places, or byte by byte."""
    if draw(st.booleans()):
        return [bytes([byte]) for byte in data]
    return cut(data, draw(st.lists(st.integers(1, max(1, len(data) - 1)), max_size=12)))
