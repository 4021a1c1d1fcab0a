"""Where text may be cut so that no character, as its reader sees it, is torn apart.

What a reader takes for one character is a *grapheme cluster*: a letter with its accents, a family
of emoji joined by ZWJ, a flag of two regional indicators, a Korean syllable, CR LF. The rules are
those of UAX #29 (Unicode's text segmentation).

The kind of a character comes from the library `regex` (the extra `text`) where it is installed;
the clusters are then exactly those of its ``\\X``. Otherwise it is guessed from `unicodedata`,
always in the cautious direction: text is then kept together in some places where it could be cut
(after any ZWJ before a symbol, around characters that this Python does not know), and is never cut
where the rules forbid it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from enum import Enum, auto
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

__all__ = ["Clusters", "Kind", "classifier", "guessed_kind", "is_boundary", "kind_by_regex"]


class Kind(Enum):
    """What the rules tell apart; the last five are what a cluster has become."""

    OTHER = auto()
    CR = auto()
    LF = auto()
    CONTROL = auto()
    EXTEND = auto()
    NON_JOINER = auto()  # ZWNJ extends like the others, but parts a conjunct
    LINKER = auto()  # a virama
    STACKER = auto()  # a letter that links like one
    ZWJ = auto()
    SPACING = auto()
    PREPEND = auto()
    REGIONAL = auto()
    L = auto()
    V = auto()
    T = auto()
    LV = auto()
    LVT = auto()
    PICTURE = auto()
    CONSONANT = auto()  # of a script that builds conjuncts
    UNKNOWN = auto()  # newer than the tables
    START = auto()
    FLAG = auto()
    LINKED_PICTURE = auto()
    JOINED_PICTURE = auto()
    JOINED_LINKED_PICTURE = auto()


Classify = Callable[[str], Kind]

_BREAKING: Final = frozenset({Kind.CR, Kind.LF, Kind.CONTROL})
_ALWAYS_APART: Final = _BREAKING | {Kind.START}
# What is never parted from what stands before it (GB9, GB9a).
_TRAILING: Final = frozenset(
    {Kind.EXTEND, Kind.NON_JOINER, Kind.LINKER, Kind.ZWJ, Kind.SPACING, Kind.UNKNOWN}
)
_ANYTHING: Final = frozenset(Kind) - _BREAKING
# What else stays with a cluster of each state (GB3, GB6 to GB8, GB9b, GB9c, GB11, GB12).
_JOINS: Final[dict[Kind, frozenset[Kind]]] = {
    Kind.CR: frozenset({Kind.LF}),
    Kind.PREPEND: _ANYTHING,
    Kind.UNKNOWN: _ANYTHING,
    Kind.REGIONAL: frozenset({Kind.REGIONAL}),
    Kind.L: frozenset({Kind.L, Kind.V, Kind.LV, Kind.LVT}),
    Kind.V: frozenset({Kind.V, Kind.T}),
    Kind.LV: frozenset({Kind.V, Kind.T}),
    Kind.T: frozenset({Kind.T}),
    Kind.LVT: frozenset({Kind.T}),
    Kind.LINKER: frozenset({Kind.CONSONANT}),
    Kind.STACKER: frozenset({Kind.CONSONANT}),
    Kind.LINKED_PICTURE: frozenset({Kind.CONSONANT}),
    Kind.JOINED_PICTURE: frozenset({Kind.PICTURE}),
    Kind.JOINED_LINKED_PICTURE: frozenset({Kind.PICTURE, Kind.CONSONANT}),
}
_NOTHING: Final[frozenset[Kind]] = frozenset()
# What a cluster becomes by one more character, where that is not the character's own kind.
_BECOMES: Final[dict[tuple[Kind, Kind], Kind]] = {
    (Kind.PICTURE, Kind.EXTEND): Kind.PICTURE,
    (Kind.PICTURE, Kind.NON_JOINER): Kind.PICTURE,
    (Kind.PICTURE, Kind.LINKER): Kind.LINKED_PICTURE,
    (Kind.PICTURE, Kind.ZWJ): Kind.JOINED_PICTURE,
    (Kind.LINKED_PICTURE, Kind.EXTEND): Kind.LINKED_PICTURE,
    (Kind.LINKED_PICTURE, Kind.LINKER): Kind.LINKED_PICTURE,
    (Kind.LINKED_PICTURE, Kind.NON_JOINER): Kind.PICTURE,
    (Kind.LINKED_PICTURE, Kind.ZWJ): Kind.JOINED_LINKED_PICTURE,
    (Kind.JOINED_LINKED_PICTURE, Kind.EXTEND): Kind.LINKER,
    (Kind.JOINED_LINKED_PICTURE, Kind.ZWJ): Kind.LINKER,
    (Kind.LINKER, Kind.EXTEND): Kind.LINKER,
    (Kind.LINKER, Kind.ZWJ): Kind.LINKER,
    (Kind.STACKER, Kind.EXTEND): Kind.LINKER,
    (Kind.STACKER, Kind.ZWJ): Kind.LINKER,
    **{(Kind.UNKNOWN, kind): Kind.UNKNOWN for kind in _TRAILING},
    (Kind.REGIONAL, Kind.REGIONAL): Kind.FLAG,
}


class Clusters:
    """Says of text that arrives in pieces how much of it can no longer be changed by what follows.

    The state of the last cluster is kept, so that the work is linear however the text is cut.
    """

    def __init__(self, classify: Classify | None = None) -> None:
        """Start before the first character.

        Args:
            classify: Tells the kind of a character; None takes the best way there is.
        """
        self._classify = classify or classifier()
        self._state = Kind.START

    def feed(self, text: str) -> int | None:
        """Add a piece of text.

        Args:
            text: What follows on the earlier pieces.

        Returns:
            How many characters of this piece stand before its last cluster, which may still grow;
            all of them where it cannot. None where that cluster began in an earlier piece.
        """
        classify, state, settled = self._classify, self._state, None
        start = _fresh_start(text, len(text) - 1, classify)
        if start:
            settled, state = start, classify(text[start])
            start += 1
        for position in range(start, len(text)):
            kind = classify(text[position])
            if not _joins(state, kind):
                settled, state = position, kind
            else:
                state = _BECOMES.get((state, kind), kind)
        self._state = state
        return len(text) if state in (Kind.LF, Kind.CONTROL) else settled


def is_boundary(text: str, position: int, classify: Classify | None = None) -> bool:
    """Return whether a cluster ends at a position inside a text.

    Args:
        text: A text that begins with a cluster.
        position: How many characters stand before; less than the length of the text.
        classify: As in `Clusters`.
    """
    classify = classify or classifier()
    start = _fresh_start(text, position - 1, classify)
    state = classify(text[start])
    for character in text[start + 1 : position]:
        kind = classify(character)
        state = _BECOMES.get((state, kind), kind) if _joins(state, kind) else kind
    return not _joins(state, classify(text[position]))


def _fresh_start(text: str, last: int, classify: Classify) -> int:
    """Return the last place, up to `last`, where a cluster begins whatever stands further before.

    Returns:
        The place, or 0 where none is found.
    """
    for position in range(last, 0, -1):
        if classify(text[position]) is Kind.OTHER and classify(text[position - 1]) is Kind.OTHER:
            return position
    return 0


def _joins(state: Kind, kind: Kind) -> bool:
    """Return whether a character stays with the cluster before it."""
    if kind in _TRAILING:
        return state not in _ALWAYS_APART
    return kind in _JOINS.get(state, _NOTHING)


@lru_cache(maxsize=1)
def classifier() -> Classify:
    """Return the best way to tell the kind of a character: by `regex`, if it is installed."""
    try:
        return kind_by_regex()
    except ImportError:
        return guessed_kind


@lru_cache(maxsize=1)
def kind_by_regex() -> Classify:
    """Return the way that is exact.

    Raises:
        ImportError: The library `regex` is not installed.
    """
    pattern: Any = import_module("regex").compile(
        r"(?P<CR>\r)|(?P<LF>\n)|(?P<ZWJ>\u200d)|(?P<NON_JOINER>\u200c)"
        r"|(?P<STACKER>(?=\p{GCB=Other})\p{InCB=Linker})"
        r"|(?P<LINKER>\p{InCB=Linker})|(?P<CONSONANT>\p{InCB=Consonant})"
        r"|(?P<CONTROL>\p{GCB=Control})|(?P<EXTEND>\p{GCB=Extend})"
        r"|(?P<SPACING>\p{GCB=SpacingMark})|(?P<PREPEND>\p{GCB=Prepend})"
        r"|(?P<REGIONAL>\p{GCB=Regional_Indicator})|(?P<PICTURE>\p{Extended_Pictographic})"
        r"|(?P<LV>\p{GCB=LV})|(?P<LVT>\p{GCB=LVT})"
        r"|(?P<L>\p{GCB=L})|(?P<V>\p{GCB=V})|(?P<T>\p{GCB=T})"
    )

    @lru_cache(maxsize=8192)
    def kind(character: str) -> Kind:
        found = pattern.match(character)
        return Kind.OTHER if found is None else Kind[found.lastgroup]

    return kind


# What `unicodedata` does not tell, by code points: Prepend, and marks that are letters to it.
_PREPENDED: Final = frozenset(
    {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0xD4E, 0x110BD, 0x110CD, 0x111C2}
    | {0x111C3, 0x113D1, 0x1193F, 0x11941, *range(0x11A84, 0x11A8A), 0x11D46, 0x11F02}
)
# Letters that begin a conjunct, by rules that have changed from one Unicode to the next.
_STACKERS: Final = frozenset({0x1CF5, 0x1CF6, 0x11A3A})
_MARKS: Final = frozenset(
    {0xE33, 0xEB3, 0xFF9E, 0xFF9F, *range(0x1F3FB, 0x1F400), *range(0xE0020, 0xE0080)}
)
_HANGUL: Final = (
    (0x1100, 0x1160, Kind.L),
    (0x1160, 0x11A8, Kind.V),
    (0x11A8, 0x1200, Kind.T),
    (0xA960, 0xA97D, Kind.L),
    (0xD7B0, 0xD7C7, Kind.V),
    (0xD7CB, 0xD7FC, Kind.T),
    (0x16D63, 0x16D64, Kind.V),  # Kirat Rai, whose vowels the rules treat alike
    (0x16D67, 0x16D6B, Kind.V),
)
# Blocks with scripts that build conjuncts, generously: from Devanagari to Cham, no ideographs.
_CONJOINING: Final = ((0x900, 0x1C80), (0xA800, 0xAC00), (0x10A00, 0x12000))
_SPECIAL: Final = {"\r": Kind.CR, "\n": Kind.LF, "\u200c": Kind.NON_JOINER, "\u200d": Kind.ZWJ}
_VIRAMA: Final = 9  # the combining class


@lru_cache(maxsize=8192)
def guessed_kind(character: str) -> Kind:
    """Return the kind of a character as far as `unicodedata` tells, rather too joined than cut."""
    code = ord(character)
    if (special := _SPECIAL.get(character)) is not None:
        return special
    if code in _PREPENDED:
        return Kind.PREPEND
    if code in _STACKERS:
        return Kind.UNKNOWN
    if code in _MARKS:
        return Kind.EXTEND
    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Mc"):
        is_virama = unicodedata.combining(character) == _VIRAMA
        return Kind.LINKER if is_virama else Kind.EXTEND
    if category in ("Cc", "Cf", "Zl", "Zp"):
        return Kind.CONTROL
    if category == "Cn":
        return Kind.UNKNOWN
    if 0x1F1E6 <= code <= 0x1F1FF:
        return Kind.REGIONAL
    return _guessed_letter(code, category)


def _guessed_letter(code: int, category: str) -> Kind:
    """Return the kind of a letter or a symbol."""
    for first, end, kind in _HANGUL:
        if first <= code < end:
            return kind
    if 0xAC00 <= code <= 0xD7A3:
        return Kind.LVT if (code - 0xAC00) % 28 else Kind.LV
    if code == 0x2139 or (code > 0x7F and category[0] in "SP"):
        return Kind.PICTURE
    if category == "Lo" and any(first <= code < end for first, end in _CONJOINING):
        return Kind.CONSONANT
    return Kind.OTHER
