"""A whole answer of the chat endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .base import Record, record
from .codec import plain
from .fields import beside, converted, many, one, value
from .finish import Finish, finish_of
from .text import content_of, has_reasoning_as, mended, reasoning_key, reasoning_of
from .tools import FunctionCall, ToolCall
from .usage import Usage, find_usage

if TYPE_CHECKING:
    from ..wire import Response

__all__ = ["ChatChoice", "ChatCompletion", "ChatMessage", "index_of"]


#: The most digits of an index that is text; nobody counts further.
_MOST_DIGITS: Final = 18


def index_of(raw: dict[str, Any]) -> Any:
    """Return the index of a choice; servers of one choice may leave it out, or send it as text."""
    found = raw.get("index")
    if isinstance(found, str) and found.isdecimal() and len(found) <= _MOST_DIGITS:
        return int(found)
    return 0 if found is None else plain(found)


@record
class ChatMessage(Record):
    """A message, of the model or of a user.

    What was sent is kept as it was: a message of a completion can go into the next request, with
    its reasoning details, signatures and unknown fields in place, as providers demand.

    Attributes:
        role: "assistant", "user", "system", "tool" …
        content: The text; parts are joined (`to_dict` has them as they were sent).
        refusal: The model's words where it refuses.
        tool_calls: The calls it asks for.
        function_call: The one call of the older protocol.
        reasoning: The thinking, from whichever of its fields is there.
        reasoning_details: The thinking in pieces with signatures (OpenRouter), as sent.
        annotations: Citations and the like, as sent.
        audio: Spoken answer: id, data in base64, transcript, as sent.
        images: Pictures, as sent.
        name: The name of who speaks.
        tool_call_id: The call that a message of the role "tool" answers.
    """

    _telling = ("role", "content", "tool_calls")

    role: str | None = value()
    content: str | None = converted(content_of)
    refusal: str | None = value()
    tool_calls: list[ToolCall] | None = many(ToolCall)
    function_call: FunctionCall | None = one(FunctionCall)
    reasoning: str | None = converted(reasoning_of, reasoning_key)
    reasoning_details: list[dict[str, Any]] | None = value()
    annotations: list[dict[str, Any]] | None = value()
    audio: dict[str, Any] | None = value()
    images: list[dict[str, Any]] | None = value()
    name: str | None = value()
    tool_call_id: str | None = value()

    def _sent(self, name: str) -> Any:
        # The same text by another name: what is assigned to the one is seen by the other.
        return self.reasoning if has_reasoning_as(name, self._raw) else super()._sent(name)


@record
class ChatChoice(Record):
    """One of the answers to a request.

    Attributes:
        index: Its number among them, from 0.
        message: What the model said.
        finish_reason: Why it stopped, in the server's word.
        native_finish_reason: The same in the word of the provider behind OpenRouter.
        logprobs: Log probabilities of the tokens, as sent.
        stop_reason: The stop sequence, or the token's number, that vLLM stopped at.
    """

    _telling = ("index", "finish_reason", "message")

    index: int = converted(index_of)
    message: ChatMessage = one(ChatMessage, always=True)
    finish_reason: str | None = value()
    native_finish_reason: str | None = value()
    logprobs: dict[str, Any] | None = value()
    stop_reason: str | int | None = value()


@record
class ChatCompletion(Record):
    """A whole answer of the chat endpoint; as a string, its text.

    Attributes:
        id: The server's name for it.
        object: "chat.completion", as a rule.
        created: When it was made, in seconds since 1970.
        model: The model that answered, which may differ from the one asked for.
        choices: The answers; more than one where `n` was asked for.
        usage: Tokens and cost, or None where the server did not tell.
        system_fingerprint: The configuration of the server.
        service_tier: The tier that served it.
        provider: Who answered behind OpenRouter.
        response: The reply it came from (status, headers, elapsed seconds), or None. It is not
            part of the JSON, but goes along with pickle and copy.
        response_time: Seconds from the start of the call to its end, waits and earlier attempts
            included, or None where it is not known. It is kept as `response` is.
    """

    _telling = ("id", "model", "finish_reason", "text")

    id: str | None = value()
    object: str | None = value()
    created: int | None = value()
    model: str | None = value()
    choices: list[ChatChoice] = many(ChatChoice, always=True)
    usage: Usage | None = one(Usage, find=find_usage)
    system_fingerprint: str | None = value()
    service_tier: str | None = value()
    provider: str | None = value()
    response: Response | None = beside()
    response_time: float | None = beside()

    def _first(self) -> ChatChoice | None:
        """Return the choice with index 0, else the first one."""
        choices = self.choices
        return next((c for c in choices if c.index == 0), choices[0] if choices else None)

    @property
    def text(self) -> str:
        """The text of choice 0; empty where there is none."""
        choice = self._first()
        content = choice.message.content if choice else None
        return mended(content) if isinstance(content, str) else ""

    @property
    def reasoning(self) -> str | None:
        """The reasoning of choice 0, or None."""
        choice = self._first()
        return choice.message.reasoning if choice else None

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The tool calls of choice 0; empty where there are none."""
        choice = self._first()
        return (choice.message.tool_calls or []) if choice else []

    @property
    def has_tool_calls(self) -> bool:
        """Whether choice 0 asks for tools."""
        return bool(self.tool_calls)

    @property
    def finish_reason(self) -> str | None:
        """Why choice 0 stopped, in the server's word."""
        choice = self._first()
        return choice.finish_reason if choice else None

    @property
    def finish(self) -> Finish | None:
        """Why choice 0 stopped, in our judgement; None where the server gave no reason."""
        choice = self._first()
        if choice is None:
            return None
        message = choice.message
        return finish_of(choice.finish_reason, bool(message.tool_calls or message.function_call))

    @property
    def native_finish_reason(self) -> str | None:
        """Why choice 0 stopped, in the word of the provider behind OpenRouter; else None."""
        choice = self._first()
        return choice.native_finish_reason if choice else None

    @property
    def stop_sequence(self) -> str | None:
        """The stop sequence that ended choice 0; None where none did or the server is silent."""
        choice = self._first()
        reason = choice.stop_reason if choice else None
        return reason if isinstance(reason, str) else None

    @property
    def total_tokens(self) -> int | None:
        """Tokens sent and answered, as the server counted; None where it did not tell."""
        found = self.usage.total_tokens if self.usage else None
        return found if type(found) is int else None

    @property
    def cost(self) -> float | None:
        """The price as the server told it in `usage`; None where it told no number."""
        found = self.usage.cost if self.usage else None
        return found if type(found) in (int, float) else None

    @property
    def request_id(self) -> str | None:
        """The server's name for the request, from the reply's headers; None where unknown."""
        return self.response.request_id if self.response else None

    def __str__(self) -> str:
        """Return the text."""
        return self.text
