"""Pieces and tokens."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evoclient.testing.tokens import count_tokens, first_tokens, split_pieces


@given(st.text())
def test_pieces_are_the_text(text: str) -> None:
    """No character is lost or added by cutting."""
    assert "".join(split_pieces(text)) == text


@given(st.text(), st.integers(1, 50))
def test_a_limit_is_kept(text: str, limit: int) -> None:
    """The first tokens are a beginning of the text, all of it when it is short enough."""
    kept = first_tokens(text, limit)
    assert text.startswith(kept)
    assert len(kept) <= 4 * limit
    assert (kept == text) == (count_tokens(text) <= limit)


def test_words_are_pieces() -> None:
    """A word comes with the space before it, a list marker with the word behind it."""
    assert split_pieces("## One two\n\n- three") == ["## One", " two", "\n\n- three"]


def test_dense_scripts_are_cut() -> None:
    """Chinese has no spaces and still arrives in pieces, punctuation with what precedes it."""
    assert split_pieces("你好世界！") == ["你好", "世界！"]


def test_a_token_is_about_four_characters() -> None:
    """Long words count for several tokens, short ones for one each."""
    assert count_tokens("1 2 3") == 3
    assert count_tokens("streaming") == 3
    assert count_tokens("") == 0
