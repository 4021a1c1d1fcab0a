"""What holds for every way of cutting an answer into chunks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from .test_assemble import assembled, piece

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)


@st.composite
def groupings(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Return a text and pieces of it."""
    text = draw(TEXTS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    return text, [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@given(groupings(), groupings(), groupings())
def test_any_grouping_gives_the_same(
    content: tuple[str, list[str]],
    reasoning: tuple[str, list[str]],
    arguments: tuple[str, list[str]],
) -> None:
    """However texts are cut into deltas, the completion has the same text, reasoning and calls."""
    completion = assembled(
        piece({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]}),
        *(piece({"reasoning": part}) for part in reasoning[1]),
        *(piece({"content": part}, finish_reason=None) for part in content[1]),
        *(
            piece({"tool_calls": [{"index": 0, "function": {"arguments": part}}]})
            for part in arguments[1]
        ),
    )
    assert completion.text == content[0]
    assert completion.reasoning == reasoning[0]
    assert completion.tool_calls[0].function.arguments == arguments[0]


@given(st.text(st.characters(min_codepoint=0xFF00, max_codepoint=0x1FFFF), max_size=12))
def test_text_cut_between_its_surrogates(text: str) -> None:
    """A text that comes in halves of UTF-16, each in a chunk, is the text."""
    units = text.encode("utf-16-le", "surrogatepass")
    halves = [chr(int.from_bytes(units[i : i + 2], "little")) for i in range(0, len(units), 2)]
    assert assembled(*(piece({"content": half}) for half in halves)).text == text
