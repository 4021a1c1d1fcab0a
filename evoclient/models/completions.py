"""Answers of the older completions endpoint: a text that goes on, with no messages.

They read like answers of the chat endpoint, so that what handles those handles these: the text of
a choice is `choice.text`, and the content of its message or delta as well.
"""

from __future__ import annotations

from typing import Any

from .base import record
from .chat import ChatChoice, ChatCompletion, ChatMessage
from .chunks import ChatCompletionChunk, ChoiceDelta, ChunkChoice
from .codec import plain
from .fields import adopt, converted, many, one

__all__ = ["Completion", "CompletionChoice", "CompletionChunk", "CompletionChunkChoice"]


def _message_of(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the message of a choice, made of its text where it has none."""
    found = raw.get("message")
    return found if type(found) is dict else {"role": "assistant", "content": raw.get("text")}


def _delta_of(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the delta of a choice, made of its text where it has none."""
    found = raw.get("delta")
    if type(found) is dict and found.get("content") is not None:
        return found
    rest = found if type(found) is dict else {}
    text = raw.get("text")
    return rest if text is None else {**rest, "content": text}


def _text_of(raw: dict[str, Any]) -> Any:
    """Return the text of a choice, also where a server answers as the chat endpoint does."""
    text = raw.get("text")
    if text is not None:
        return plain(text)
    return plain(_message_of(raw).get("content")) or ""


@record
class CompletionChoice(ChatChoice):
    """One of the answers to a request.

    Attributes:
        text: The text.
        message: The text as a message of the role "assistant".
    """

    _telling = ("index", "finish_reason", "text")

    text: str = converted(_text_of)
    message: ChatMessage = one(ChatMessage, always=True, find=_message_of)


@record
class Completion(ChatCompletion):
    """A whole answer of the older completions endpoint; as a string, its text.

    Attributes:
        object: "text_completion", as a rule.
        choices: The answers; more than one where `n` or several prompts were asked for.
    """

    # A list of a narrower type: it is read, and nobody puts choices of the other kind into it.
    choices: list[CompletionChoice] = many(CompletionChoice, always=True)  # type: ignore[assignment]  # narrower


@record
class CompletionChunkChoice(ChunkChoice):
    """What a chunk adds to one of the answers.

    Attributes:
        delta: The text that is added, as a delta.
    """

    delta: ChoiceDelta = one(ChoiceDelta, always=True, find=_delta_of)

    @property
    def text(self) -> str:
        """The text that is added; empty where there is none."""
        content = self.delta.content
        return content if isinstance(content, str) else ""


@record
class CompletionChunk(ChatCompletionChunk):
    """One piece of a streamed answer of the older completions endpoint.

    Attributes:
        choices: What is added, by choice; empty in chunks that carry usage only.
    """

    choices: list[CompletionChunkChoice] = many(  # type: ignore[assignment]  # as above
        CompletionChunkChoice, always=True
    )


def read_completion_chunk(raw: dict[str, Any]) -> CompletionChunk:
    """Return the chunk over a parsed JSON object of whatever shape, and keep the object."""
    return adopt(CompletionChunk, raw)


def completion_of(assembled: dict[str, Any]) -> Completion:
    """Return the completion that an assembly of chunks comes to, as it is without streaming.

    Args:
        assembled: The JSON object of a chat completion, which the caller gives away.
    """
    choices = [_text_choice(choice) for choice in assembled["choices"]]
    return adopt(Completion, {**assembled, "object": "text_completion", "choices": choices})


def _text_choice(choice: dict[str, Any]) -> dict[str, Any]:
    rest = dict(choice)
    message = rest.pop("message")
    index = rest.pop("index")
    text = message["content"] or ""
    # Whatever a server sends beside the text of a delta would be lost without its message.
    kept = {"message": message} if message.keys() - {"role", "content"} else {}
    return {"index": index, "text": text, **kept, **rest}
