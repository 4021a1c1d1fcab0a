"""Whatever a second answer is, a reader of events who does what it is told has the completion."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evoclient.errors.tree import StreamInterruptedError
from evoclient.streaming.events import (
    ContentEvent,
    ReasoningEvent,
    RestartEvent,
    StreamEvent,
    ToolCallDeltaEvent,
    ToolCallStartEvent,
)
from evoclient.sync.client import Client
from evoclient.transports.memory import MemoryReply, MemoryTransport

MESSAGES = [{"role": "user", "content": "Hello"}]

WORDS = st.text("ab ", min_size=1, max_size=5)


def delta(choice: int, **fields: Any) -> dict[str, Any]:
    """Return the document of a chunk."""
    return {"choices": [{"index": choice, "delta": fields, "finish_reason": None}]}


def call(number: int, name: str | None, arguments: str) -> dict[str, Any]:
    """Return the delta of a tool call; its first piece has the name."""
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    first = {} if name is None else {"id": f"t{number}", "type": "function"}
    return {"index": number, **first, "function": function}


@st.composite
def answers(draw: st.DrawFn, choices: int) -> list[dict[str, Any]]:
    """Draw the chunks of an answer, without its end."""
    chunks = []
    for choice in range(choices):
        chunks += [delta(choice, reasoning=text) for text in draw(st.lists(WORDS, max_size=2))]
        chunks += [delta(choice, content=text) for text in draw(st.lists(WORDS, max_size=3))]
        for number in range(draw(st.integers(0, 2))):
            name = draw(st.sampled_from(["f", "g"]))
            chunks.append(delta(choice, tool_calls=[call(number, name, "")]))
            for text in draw(st.lists(WORDS, max_size=2)):
                chunks.append(delta(choice, tool_calls=[call(number, None, text)]))
    return chunks


@st.composite
def scripts(draw: st.DrawFn) -> tuple[int, list[MemoryReply]]:
    """Draw replies that break, some of which begin alike, and one that does not."""
    choices = draw(st.integers(1, 2))
    replies = []
    whole = draw(answers(choices))
    for _ in range(draw(st.integers(1, 2))):
        replies.append(MemoryReply.stream(*whole[: draw(st.integers(0, 12))], done=False))
        if draw(st.booleans()):
            whole = whole[: draw(st.integers(0, 12))] + draw(answers(choices))
    ends = [
        {"choices": [{"index": index, "delta": {}, "finish_reason": "stop"}]}
        for index in range(choices)
    ]
    return choices, [*replies, MemoryReply.stream(*whole, *ends)]


class Screen:
    """What a reader of events has of one choice."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.content = self.reasoning = ""
        self.calls: list[tuple[str | None, str]] = []

    def show(self, event: StreamEvent) -> None:
        """Do what an event says."""
        match event:
            case ContentEvent(text=text):
                self.content += text
            case ReasoningEvent(text=text):
                self.reasoning += text
            case ToolCallStartEvent(name=name, number=number):
                assert number == len(self.calls)
                self.calls.append((name, ""))
            case ToolCallDeltaEvent(number=number, arguments=arguments):
                name, before = self.calls[number]
                self.calls[number] = name, before + arguments
            case RestartEvent(keep=keep, reasoning=reasoning, tool_calls=calls):
                assert keep <= len(self.content)
                assert reasoning <= len(self.reasoning)
                assert calls <= len(self.calls)
                self.content, self.reasoning = self.content[:keep], self.reasoning[:reasoning]
                del self.calls[calls:]


def streamed(script: tuple[int, list[MemoryReply]], **asked: Any) -> Any:
    """Return a stream of a script."""
    choices, replies = script
    client = Client(transport=MemoryTransport(replies), model="m", retry_delay=0, max_retries=5)
    return client.chat.completions.create(messages=MESSAGES, stream=True, n=choices, **asked)


@given(scripts())
def test_events_add_up_to_the_completion(script: tuple[int, list[MemoryReply]]) -> None:
    """Text, thoughts and tool calls of all choices are those of the last answer."""
    stream = streamed(script, recover="restart")
    screens = [Screen() for _ in range(script[0])]
    for event in stream.events():
        if hasattr(event, "choice"):
            screens[event.choice].show(event)
    assert stream.outcome == "complete"
    for choice in stream.completion.choices:
        screen, message = screens[choice.index], choice.message
        calls = [(each.function.name, each.function.arguments) for each in message.tool_calls or ()]
        assert screen.content == (message.content or "")
        assert screen.reasoning == (message.reasoning or "")
        assert screen.calls == calls


@given(scripts())
def test_chunks_add_up_or_an_error_is_raised(script: tuple[int, list[MemoryReply]]) -> None:
    """A reader of chunks has the completion in the end, or an error with both answers."""
    stream = streamed(script, recover="restart")
    texts = [""] * script[0]
    failure = None
    try:
        for chunk in stream:
            for choice in chunk.choices:
                texts[choice.index] += choice.delta.content or ""
    except StreamInterruptedError as error:
        failure = error
    assert failure is None or failure.departed is not None
    whole = stream.completion if failure is None else failure.partial
    assert whole is not None
    for choice in whole.choices:
        assert (choice.message.content or "") == texts[choice.index]
