"""How the pieces of a stream are put together: one rule for each field.

The tables are data, so that the documentation shows the very rules that run. A field that is in
no table goes by `UNKNOWN`. Null is no value: it changes nothing, whatever the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any, Final, NamedTuple

from ..models.codec import plain
from ..models.text import mended

__all__ = [
    "CHOICE",
    "CHUNK",
    "DELTA",
    "UNKNOWN",
    "Rule",
    "joined",
    "merge",
    "parts_in_a_row",
    "result",
]


class Rule(NamedTuple):
    """How the values of one field become one.

    Attributes:
        name: The rule, for people.
        why: Why the field is treated so.
        add: Gets what is held (None at first) and the next value, returns what is then held.
        done: Gets what is held, returns a JSON value that shares nothing with it.
    """

    name: str
    why: str
    add: Callable[[Any, Any], Any]
    done: Callable[[Any], Any] = plain


def joined(pieces: list[str]) -> str:
    """Return the pieces as one text, and keep it as the one piece.

    Surrogate pairs that were cut between two pieces are joined in the text, not in the piece:
    the other half may still come.
    """
    text = "".join(pieces)
    pieces[:] = [text]
    return mended(text)


def _append(held: list[str] | None, new: Any) -> list[str] | None:
    if not isinstance(new, str):
        return held
    if held is None:
        return [new]
    held.append(new)
    return held


def _once(held: Any, new: Any) -> Any:
    return held or new


def _last(held: Any, new: Any) -> Any:
    return new


def _extend(held: list[Any] | None, new: Any) -> list[Any]:
    held = [] if held is None else held
    held.extend(new if isinstance(new, list) else [new])
    return held


def _update(held: dict[str, Any] | None, new: Any) -> Any:
    """Merge mappings at every level."""
    if not isinstance(held, dict) or not isinstance(new, dict):
        return plain(new)
    for key, value in new.items():
        if value is not None:
            held[key] = _update(held.get(key), value)
    return held


def append(why: str) -> Rule:
    """Return the rule for texts that come in pieces."""
    return Rule("append", why, _append, joined)


def once(why: str) -> Rule:
    """Return the rule for what is the same in all chunks: the first value that says anything."""
    return Rule("set once", why, _once)


def last(why: str) -> Rule:
    """Return the rule for what each chunk says anew."""
    return Rule("last", why, _last)


def extend(why: str) -> Rule:
    """Return the rule for lists that come in pieces."""
    return Rule("extend", why, _extend)


def update(why: str) -> Rule:
    """Return the rule for objects whose members come one after another."""
    return Rule("merge", why, _update)


def drop(why: str) -> Rule:
    """Return the rule for what has a meaning in the stream only."""
    return Rule("drop", why, lambda held, new: None)


def members(why: str, rules: Mapping[str, Rule]) -> Rule:
    """Return the rule for an object whose members have rules of their own."""

    def add(held: dict[str, Any] | None, new: Any) -> Any:
        if not isinstance(new, dict):
            return held
        held = {} if held is None else held
        merge(held, new, rules)
        return held

    name = "by member: " + ", ".join(f"{key} {rule.name}" for key, rule in rules.items())
    return Rule(name, why, add, lambda held: result(held, rules))


def by_index(why: str, rules: Mapping[str, Rule]) -> Rule:
    """Return the rule for lists whose elements come in pieces: those of one place are merged.

    A piece belongs to an element of the same type with the same `index`; one without an index to
    the last element, if that has its type. Ids that differ, and encrypted data, keep them apart.
    """

    def add(held: list[dict[str, Any]] | None, new: Any) -> list[dict[str, Any]]:
        held = [] if held is None else held
        for piece in new if isinstance(new, list) else [new]:
            if not isinstance(piece, dict):
                held.append({"": piece})
                continue
            home = _home(held, piece)
            if home is None:
                held.append(home := {})
            merge(home, piece, rules)
        return held

    def done(held: list[dict[str, Any]]) -> list[Any]:
        return [item[""] if "" in item else result(item, rules) for item in held]

    return Rule("merge by index", why, add, done)


def _home(held: list[dict[str, Any]], piece: dict[str, Any]) -> dict[str, Any] | None:
    """Return the element that a piece belongs to."""
    index = piece.get("index")
    candidates = held[-1:] if index is None else [e for e in held if e.get("index") == index]
    element: dict[str, Any]
    for element in reversed(candidates):
        alike = all(
            not element.get(key) or not piece.get(key) or element[key] == piece[key]
            for key in ("type", "id")
        )
        if alike and "data" not in piece and "data" not in element and "" not in element:
            return element
    return None


_TEXT = "it comes in pieces"
_REPEATED = "servers repeat it on every chunk"
_WHOLE = "each element comes whole"
_CUMULATIVE = "where it comes several times, the last one counts for all"

#: The members of a function call, of both protocols, and of OpenAI's custom tools.
FUNCTION: Final = {
    "name": once("servers repeat it; joined, it would double"),
    "arguments": append(_TEXT),
    "input": append(_TEXT),
}

#: The fields of a delta. Tool calls have their own room, `tool_calls`.
DELTA: Final = {
    "role": once(_REPEATED),
    "content": append(_TEXT + "; parts (Mistral) are put in a row, those of one type joined"),
    "refusal": append(_TEXT),
    "reasoning": append(_TEXT),
    "reasoning_content": append(_TEXT),
    "reasoning_details": by_index(
        "text and summary come in pieces, a signature alone and late; the order must stay",
        {"text": append(_TEXT), "summary": append(_TEXT), "signature": last("it comes whole")},
    ),
    "function_call": members("the older protocol's one call", FUNCTION),
    "audio": members(
        "sound and its transcript come in pieces",
        {
            "id": once(_REPEATED),
            "data": append("pieces of base64 that are cut at whole groups"),
            "transcript": append(_TEXT),
        },
    ),
    "images": extend(_WHOLE),
    "annotations": extend(_WHOLE),
    "executed_tools": by_index("Groq sends a tool when it starts, and again with its output", {}),
}

#: The fields of a choice beside its delta.
CHOICE: Final = {
    "finish_reason": last('the one that is not empty; servers send null or "" before it'),
    "logprobs": members(
        "one entry for each token of the chunk",
        {
            name: extend("as above")
            for name in (
                *("content", "refusal"),
                *("tokens", "token_logprobs", "top_logprobs", "text_offset"),
            )
        },
    ),
    "text": drop("the older endpoint: it is read as the content of the delta"),
    "token_ids": extend("vLLM: the tokens of the chunk"),
    "content_filter_results": update("Azure: categories come as they are judged"),
    "content_filter_offsets": last("Azure: how far the filter has come"),
}

#: The fields of the chunk itself.
CHUNK: Final = {
    "id": once(_REPEATED),
    "created": once("some servers send the clock of each chunk"),
    "model": once(_REPEATED),
    "provider": once(_REPEATED),
    "system_fingerprint": once(_REPEATED),
    "service_tier": once(_REPEATED),
    "object": drop("it says chunk; the whole is a chat.completion"),
    "obfuscation": drop("OpenAI's padding against guessing by length"),
    "prompt_progress": drop("llama.cpp: how far the prompt is read"),
    "usage": last(_CUMULATIVE),
    "x_groq": update("Groq: an id at first, usage or an error at the end"),
}

#: Any other field, at any level.
UNKNOWN: Final = last(
    "an unknown value is mostly repeated or cumulative; appended, it would be multiplied"
)


def merge(held: dict[str, Any], new: dict[str, Any], rules: Mapping[str, Rule]) -> None:
    """Add an object's members to what is held, each by its rule."""
    for key, value in new.items():
        if value is not None:
            rule = rules.get(key, UNKNOWN)
            held[key] = rule.add(held.get(key), value)


def result(held: dict[str, Any], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Return what is held as a JSON object; what was dropped is not in it."""
    return {
        key: rules.get(key, UNKNOWN).done(value) for key, value in held.items() if value is not None
    }


def parts_in_a_row(pieces: list[Any]) -> list[Any]:
    """Return a content that came as parts, or as parts and text, the way it comes whole."""
    parts = [_as_part(piece) for piece in pieces if piece != ""]
    out: list[Any] = []
    for kind, run in groupby(parts, key=_kind):
        if kind == "text":
            out.append({"type": "text", "text": mended("".join(part["text"] for part in run))})
        elif kind == "thinking":
            alike = list(run)
            inner = [piece for part in alike for piece in part["thinking"]]
            rest = {key: value for part in alike for key, value in part.items()}
            out.append(plain({**rest, "thinking": parts_in_a_row(inner)}))
        else:
            out.extend(plain(part) for part in run)
    return out


def _as_part(piece: Any) -> Any:
    return {"type": "text", "text": piece} if isinstance(piece, str) else piece


def _kind(part: Any) -> str | None:
    """Return the type of a part that can be joined with others of its type."""
    if isinstance(part, dict):
        if part.keys() == {"type", "text"} and isinstance(part["text"], str):
            return "text" if part["type"] == "text" else None
        if part.get("type") == "thinking" and isinstance(part.get("thinking"), list):
            return "thinking"
    return None
