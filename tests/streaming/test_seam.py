"""Where a second reply goes on with the text of a first one."""

from __future__ import annotations

import pytest

from evoclient.models.chunks import ChatCompletionChunk, read_chunk
from evoclient.streaming.continuing import goes_on
from evoclient.streaming.seam import LEAST_OVERLAP, Manner, Seam

HANDED = "It was late. The quick brown fox jumps over the la"


def joined(seam: Seam, *pieces: str | None, finish: str | None = "stop") -> list[object]:
    """Return the contents of the chunks of a reply, the last of which has the finish reason."""
    found: list[object] = []
    for place, piece in enumerate(pieces):
        reason = finish if place == len(pieces) - 1 else None
        delta = {} if piece is None else {"content": piece}
        chunk = read_chunk({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
        assert seam.feed(chunk)
        found.append(chunk.choices[0].delta.content)
    return found


def after(handed: str, reply: str, manner: Manner = "asked") -> str | None:
    """Return what follows a text by a reply that comes at once, or None for another answer."""
    seam = Seam(handed, manner)
    (text,) = joined(seam, reply)
    assert seam.is_decided
    if seam.departed:
        assert text == reply
        return None
    assert isinstance(text, str)
    assert len(reply) == seam.overlap + len(text)
    return text


def test_a_prefill_is_continued() -> None:
    """A reply that continues the text is handed out as it comes."""
    seam = Seam(HANDED, "continues")
    assert joined(seam, "zy", HANDED) == ["zy", HANDED]
    assert seam.is_decided
    assert not seam.departed


def test_a_prefill_is_repeated() -> None:
    """A repeated text is dropped, chunk by chunk, and what comes after it is handed out."""
    seam = Seam("abcd", "repeats")
    assert joined(seam, "ab", "c", "de", "f") == ["", "", "e", "f"]
    assert (seam.is_decided, seam.departed, seam.overlap) == (True, False, 4)


def test_a_prefill_is_repeated_wrongly() -> None:
    """A reply that should repeat the text and does not is let out whole, with what both share."""
    seam = Seam("abcd", "repeats")
    assert joined(seam, "ab", "x", "y") == ["", "abx", "y"]
    assert (seam.departed, seam.keep, seam.overlap) == (True, 2, 0)


def test_a_prefill_is_repeated_in_part() -> None:
    """A reply that ends within the text it should repeat is another answer."""
    seam = Seam("abcd", "repeats")
    assert joined(seam, "ab", None) == ["", "ab"]
    assert (seam.departed, seam.keep) == (True, 2)


REPETITIONS: dict[str, tuple[str, str, str | None]] = {
    "whole": (HANDED, HANDED + "zy dog", "zy dog"),
    "whole, of a short text": ("Hi", "Hi there", " there"),
    "last 20": (HANDED, HANDED[-20:] + "zy dog", "zy dog"),
    "last 12": (HANDED, HANDED[-12:] + "zy dog", "zy dog"),
    "a line break before it": (HANDED, "\n\n" + HANDED[-20:] + "zy", "zy"),
    "a space before it": (HANDED, " over the la" + "zy", "zy"),
    "white space before the whole": (HANDED, "\n" + HANDED + "zy", "zy"),
    "nothing after it": (HANDED, HANDED[-20:], ""),
    "other script": ("Съешь ещё этих мягких", "этих мягких французских булок", None),
    "other script, enough": ("Съешь ещё этих мягких", "ещё этих мягких булок", " булок"),
    "no capitals": ("床前明月光疑是地上霜举头望明月", "月光疑是地上霜举头望明月低头", "低头"),
    "a space at the end": ("The quick brown fox ", "quick brown fox jumps", "jumps"),
    "a break at the end that is a space": (
        "The quick brown fox\n",
        "quick brown fox jumps",
        " jumps",
    ),
    "a space at the end that is a break": (
        "The quick brown fox ",
        "quick brown fox\n\nIt",
        "\n\nIt",
    ),
    "two breaks at the end, one repeated": (
        "The quick brown fox\n\n",
        "quick brown fox\nIt jumps",
        "It jumps",
    ),
    "a space at the end that is missing": ("The quick brown fox ", "quick brown foxes jump", None),
    "a space at the end, and then nothing": ("The quick brown fox ", "quick brown fox", ""),
}


@pytest.mark.parametrize("case", REPETITIONS)
def test_asked_and_repeated(case: str) -> None:
    """The longest end of the text that a reply begins with is dropped."""
    handed, reply, rest = REPETITIONS[case]
    assert after(handed, reply) == rest


CONTINUATIONS = {
    "space, small": ("The fox", " jumps"),
    "space, digit": ("It is", " 5 o'clock"),
    "space, punctuation": ("The fox", " & the dog"),
    "space, bracket": ("The fox", " (the red one)"),
    "space, small quoted": ("The fox said", ' "hello"'),
    "space, after a sentence": ("The fox.", " and the dog"),
    "small, after a space": ("The ", "fox jumps"),
    "small, after a space, Cyrillic": ("Съешь ещё ", "этих булок"),
    "comma": ("The fox", ", the dog"),
    "full stop": ("The fox", ". The dog"),
    "closing quote": ('"The fox', '", he said'),
    "a word that begins alike": ("I saw a", " animal"),
    "a longer word that begins alike": ("I saw an", " animal"),
    "nothing": ("The fox", ""),
    "blank": ("The fox", "\n"),
    "blank, as in the text": ("The fox", " "),
}


@pytest.mark.parametrize("case", CONTINUATIONS)
def test_asked_and_continued(case: str) -> None:
    """A reply that repeats nothing and cannot be the beginning of an answer goes on."""
    handed, reply = CONTINUATIONS[case]
    assert after(handed, reply) == reply


DEPARTURES = {
    "a letter behind a letter": ("most by", "the small"),
    "a letter behind a letter, Cyrillic": ("Съешь ещё", "этих булок"),
    "an apostrophe behind a letter": ("The fox didn", "'t jump"),
    "a sentence": (HANDED, "Sure, here is the rest: zy dog"),
    "a sentence, after a space": (HANDED, " Here is the rest"),
    "a sentence, after a break": (HANDED, "\n\nHere is the rest"),
    "a sentence in quotes": (HANDED, ' "Here it is"'),
    "a sentence in bold": (HANDED, "\n\n**Here it is**"),
    "a sentence, Cyrillic": ("Съешь ещё эт", "Конечно"),
    "small, after a sentence": ("The fox.", "and the dog"),
    "small, after a quoted sentence": ('He said: "The fox."', "and the dog"),
    "space after a space": ("The fox ", " jumps"),
    "digit without a space": ("The fox", "5"),
    "ellipsis": (HANDED, "...zy dog"),
    "ellipsis, after a space": (HANDED, " …zy dog"),
    "no capitals": ("床前明月光", "疑是地上霜"),
    "no capitals before": ("床前明月光", " and so on"),
    "no capitals after": ("The fox said", " 床前明月光"),
    "capitals that begin no sentence": ("ქართული ენა", " ქართველური"),
    "no letters": ("1, 2", ", 3"),
    "a short repetition": (HANDED, "the lazy dog"),
    "a shorter one": ("The quick brown fox", "fox jumps"),
    "a shorter one in quotes": ("The quick brown fox", ' "fox jumps'),
    "a shorter one, after a break": ("The quick brown fox", "\nfox jumps"),
    "a shorter one, spaced otherwise": ("The quick brown fox ", "fox, and"),
    "of a word that was cut": ("The quick brown fo", "fox jumps"),
    "of letters": ("The quick brown", "rown fox"),
    "of the beginning, which ends": ("the quick brown fox", "the quick"),
    "nothing but marks": ("The fox", '"'),
    "marks without end": ("The fox", " " + "*" * 70 + "a"),
    "small in bold": ("The fox", "*jumps*"),
    "small letters that may begin a sentence": ("The word is", " ქართული"),
    "a repetition in quotes": (HANDED, '"' + HANDED[-20:] + 'zy"'),
}


@pytest.mark.parametrize("case", DEPARTURES)
def test_asked_and_begun_anew(case: str) -> None:
    """A reply that may be an answer of its own is let out whole and called another one."""
    handed, reply = DEPARTURES[case]
    assert after(handed, reply) is None


@pytest.mark.parametrize("case", [*REPETITIONS, *CONTINUATIONS, *DEPARTURES])
def test_asked_in_single_characters(case: str) -> None:
    """A reply that comes character by character is judged as one that comes at once."""
    known = {case: (handed, reply) for case, (handed, reply, _) in REPETITIONS.items()}
    handed, reply = {**known, **CONTINUATIONS, **DEPARTURES}[case]
    seam = Seam(handed, "asked")
    text = "".join(str(piece) for piece in joined(seam, *reply, ""))
    assert (None if seam.departed else text) == after(handed, reply)


def test_keep_of_another_answer() -> None:
    """Another answer tells with how many characters it begins as the first one did."""
    seam = Seam("The quick brown fox", "asked")
    assert joined(seam, "The ", "slow brown fox", " jumps") == ["", "The slow brown fox", " jumps"]
    assert (seam.departed, seam.keep, seam.overlap) == (True, 4, 0)


def test_the_least_overlap() -> None:
    """A repetition of one character less than is trusted is not dropped."""
    handed = "0123456789ABCDEFGHIJ"
    assert after(handed, handed[-LEAST_OVERLAP:] + "K") == "K"
    assert after(handed, handed[-LEAST_OVERLAP + 1 :] + "K") is None


def test_only_content_of_choice_0() -> None:
    """Refusals, tool calls and other choices pass while content is held."""
    seam = Seam(HANDED, "asked")
    delta = {
        "content": HANDED[:9],
        "reasoning": "r",
        "refusal": "f",
        "tool_calls": [{"index": 0, "function": {"name": "g", "arguments": "{}"}}],
    }
    chunk = read_chunk({"choices": [{"index": 1, "delta": delta}, {"index": 0, "delta": delta}]})
    assert seam.feed(chunk)
    other, first = chunk.choices
    assert other.delta.content == HANDED[:9]
    assert first.delta.content == ""
    for name in ("refusal", "tool_calls"):
        assert getattr(first.delta, name) == getattr(other.delta, name)
    assert (other.delta.reasoning, first.delta.reasoning) == ("r", None)


def thinking(text: str, content: str | None = None) -> ChatCompletionChunk:
    """Return a chunk with a thought."""
    delta = {"reasoning": text} | ({} if content is None else {"content": content})
    return read_chunk({"choices": [{"index": 0, "delta": delta}]})


@pytest.mark.parametrize("manner", ["continues", "repeats", "asked"])
def test_thoughts_before_a_continuation(manner: Manner) -> None:
    """What a reply thinks before it goes on with the text goes on with nothing, and is dropped."""
    seam = Seam(HANDED, manner)
    thought, said = (
        thinking("Where was I?"),
        thinking(" Ah.", "" if manner == "continues" else HANDED),
    )
    seam.feed(thought)
    seam.feed(said)
    rest = thinking("and later", "zy dog")
    seam.feed(rest)
    assert thought.choices[0].delta.reasoning is None
    assert said.choices[0].delta.reasoning is None
    assert rest.choices[0].delta.content == "zy dog"


def test_thoughts_before_another_answer() -> None:
    """Where the reply is another answer, its thoughts come with the chunk that shows it."""
    seam = Seam(HANDED, "asked")
    seam.feed(thinking("Anew. "))
    said = thinking("Now.", "Sure, here is another answer altogether.")
    seam.feed(said)
    assert seam.departed
    assert said.choices[0].delta.reasoning == "Anew. Now."


@pytest.mark.parametrize("cut", [1, 5, 200])
def test_a_trusted_server_that_begins_anew(cut: int) -> None:
    """A reply that begins as the text did is another answer, whatever the record says."""
    text = "Blue light is scattered most by the small molecules of the air, and so the sky is blue,"
    seam = Seam(text, "continues")
    reply = text + " by day."
    pieces = [reply[place : place + cut] for place in range(0, len(reply), cut)]
    joined(seam, *pieces)
    assert seam.departed
    assert seam.keep >= 64


@pytest.mark.parametrize(
    ("handed", "reply"),
    [("an answer which goes", "Sorry, I was cut off."), ("Съешь ещё", "Вот ответ целиком.")],
)
def test_a_trusted_server_that_begins_a_sentence(handed: str, reply: str) -> None:
    """A capital letter right behind a small one begins another answer."""
    assert after(handed, reply, "continues") is None


def test_a_trusted_server_that_says_the_same_again() -> None:
    """A text that repeats itself is continued by what it began with."""
    line = "One line of a text that says the same thing again and again, and then once more.\n"
    assert after(line * 2, line, "continues") == line


def test_the_raw_mapping_stays() -> None:
    """What a chunk was read from is not changed: several chunks may share it."""
    raw = {"choices": [{"index": 0, "delta": {"content": "ab"}}]}
    seam = Seam("abc", "repeats")
    chunk = read_chunk(raw)
    seam.feed(chunk)
    assert chunk.text == ""
    assert raw == {"choices": [{"index": 0, "delta": {"content": "ab"}}]}


def test_chunks_without_content_stay() -> None:
    """A chunk that says nothing of the content gets none while content is held."""
    seam = Seam("abc", "repeats")
    assert joined(seam, None, "a", None, "bcd", finish=None) == [None, "", None, "d"]


def test_nothing_came() -> None:
    """The chunk with the finish reason gets no content where none was held."""
    assert joined(Seam("The fox", "asked"), None) == [None]


def test_finish_lets_out() -> None:
    """Without a finish reason, what is held is decided on at the end, and let out."""
    seam = Seam(HANDED, "asked")
    assert joined(seam, "the", finish=None) == [""]
    assert not seam.is_decided
    chunk = seam.finish()
    assert chunk is not None
    assert (chunk.text, seam.departed, seam.is_decided) == ("the", True, True)
    assert seam.finish() is None


def test_finish_without_anything_held() -> None:
    """Where nothing is held, nothing is let out at the end."""
    seam = Seam(HANDED, "asked")
    assert joined(seam, HANDED, finish=None) == [""]
    assert seam.finish() is None
    assert (seam.departed, seam.overlap) == (False, len(HANDED))


def test_nothing_to_go_on_with() -> None:
    """After no text at all, any reply is handed out."""
    for manner in ("continues", "repeats", "asked"):
        assert after("", "Any text", manner) == "Any text"


def test_marks_are_not_waited_for_without_end() -> None:
    """A reply of nothing but white space or marks is held for some characters only."""
    seam = Seam("The fox", "asked")
    joined(seam, *("*" * 100), finish=None)
    assert seam.departed


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("", None),
        (" ", None),
        (' "', None),
        (".", None),
        (".a", True),
        ("a", False),
        (", ", True),
        ("A", False),
    ],
)
def test_what_cannot_be_said_yet(text: str, verdict: bool | None) -> None:
    """Whether a text goes on is open as long as nothing but white space and marks has come."""
    assert goes_on("The fox", text, is_whole=False) is verdict


@pytest.mark.parametrize("known", ["ha " * 12, "- one more line of it\n" * 3, "ab" * 20])
def test_a_text_that_repeats_itself_is_not_guessed(known: str) -> None:
    """Where a repetition may be one of several, the reply is taken for another answer."""
    seam = Seam(known, "asked")
    chunk = read_chunk({"choices": [{"index": 0, "delta": {"content": known[-24:] + known}}]})
    seam.feed(chunk)
    seam.finish()
    assert seam.departed
