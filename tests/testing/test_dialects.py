"""The dialects: every provider's shape, over the same answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evoclient.testing.answers import answer
from evoclient.testing.chunks import Record, chat_chunks, chat_completion
from evoclient.testing.dialect_steps import Scene
from evoclient.testing.dialects import DIALECTS
from evoclient.testing.faults import ERROR_EVENTS
from evoclient.testing.question import read_chat

CLOCK = {
    "type": "function",
    "function": {
        "name": "clock",
        "parameters": {"properties": {"zone": {"type": "string"}}, "required": ["zone"]},
    },
}
BELL = {"type": "function", "function": {"name": "bell"}}


def speak(name: str, text: str = "count to 3", *, stream: bool = True, **fields: Any) -> Any:
    """What a dialect makes of the answer to a user message."""
    dialect = DIALECTS[name]
    messages = [{"role": "user", "content": text}]
    question = read_chat({"model": "m", "messages": messages, "stream": stream, **fields})
    made = answer(question, id="x", thinking=dialect.thinks)
    records = chat_chunks(made, usage=question.usage) if stream else [chat_completion(made)]
    return dialect.apply(records, Scene(question, made))


def deltas(chunks: list[Record]) -> list[Record]:
    """All deltas of a stream."""
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"] if "delta" in choice]


def calls(records: list[Record]) -> list[Record]:
    """All tool calls of a stream or a completion."""
    said = [
        choice.get("delta", choice.get("message", {}))
        for record in records
        for choice in record["choices"]
    ]
    return [call for part in said for call in part.get("tool_calls") or []]


def content(chunks: list[Record]) -> str:
    """The text of a stream, whatever form its content takes."""
    text = ""
    for delta in deltas(chunks):
        said = delta.get("content") or ""
        parts = said if isinstance(said, list) else [{"type": "text", "text": said}]
        text += "".join(part["text"] for part in parts if part["type"] == "text")
    return text


@pytest.mark.parametrize("name", sorted(DIALECTS))
@pytest.mark.parametrize("fields", [{}, {"n": 2}, {"reasoning_effort": "low"}], ids=str)
def test_the_text_is_the_same_in_all(name: str, fields: dict[str, Any]) -> None:
    """A dialect changes the shape, never the words; what it sends is JSON."""
    chunks = speak(name, **fields, stream_options={"include_usage": True})
    assert content(chunks).replace(" ", "") == "".join(
        f"{number}" * fields.get("n", 1) for number in (1, 2, 3)
    )
    [whole] = speak(name, stream=False, **fields)
    assert "3" in json.dumps(whole["choices"][0]["message"]["content"])
    json.dumps(chunks)


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_errors_have_a_body(name: str) -> None:
    """Every dialect has a body for client and server errors, and a known form inside a stream."""
    for code in (400, 502):
        assert "went wrong" in json.dumps(DIALECTS[name].error(code, "it went wrong"))
    assert DIALECTS[name].in_stream_error in ERROR_EVENTS


def test_openrouter() -> None:
    """Role and provider on every chunk, native reasons, usage with cost without being asked."""
    chunks = speak("openrouter", reasoning={"effort": "low"})
    assert all(chunk["provider"] == "Demo" for chunk in chunks)
    assert all(delta["role"] == "assistant" for delta in deltas(chunks))
    assert chunks[-2]["choices"][0]["native_finish_reason"] == "stop"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["cost"] > 0
    thought = [delta for delta in deltas(chunks) if "reasoning" in delta]
    assert thought[0]["reasoning_details"][0]["text"] == thought[0]["reasoning"]
    asked = speak("openrouter", stream_options={"include_usage": True})
    assert [bool(chunk.get("usage")) for chunk in asked][-2:] == [False, True]
    [whole] = speak("openrouter", stream=False)
    assert whole["usage"]["cost"] > 0


def test_vllm() -> None:
    """The terminal choice tells what stopped it; a named tool ends with stop; usage may run."""
    stopped = speak("vllm", stop="2")
    assert stopped[-1]["choices"][0]["stop_reason"] == "2"
    assert "stop_reason" not in stopped[0]["choices"][0]
    assert stopped[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    named = speak("vllm", tools=[CLOCK], tool_choice={"function": {"name": "clock"}})
    assert named[-1]["choices"][0]["finish_reason"] == "stop"
    assert speak("vllm", "clock", tools=[CLOCK])[-1]["choices"][0]["finish_reason"] == "tool_calls"
    options = {"include_usage": True, "continuous_usage_stats": True}
    counts = [c["usage"]["completion_tokens"] for c in speak("vllm", stream_options=options)]
    assert counts == [0, 1, 2, 3, 3, 3]


def test_ollama() -> None:
    """Calls come whole, all with index 0, under a fixed fingerprint."""
    chunks = speak("ollama", "clock and bell", tools=[CLOCK, BELL])
    made = calls(chunks)
    assert [call["index"] for call in made] == [0, 0]
    assert all(json.loads(call["function"]["arguments"]) is not None for call in made)
    assert all(chunk["system_fingerprint"] == "fp_ollama" for chunk in chunks)


def test_ollama_old() -> None:
    """Role and content on every chunk, the finish reason on the last one with text."""
    chunks = speak("ollama_old")
    assert all(delta["role"] == "assistant" for delta in deltas(chunks))
    assert chunks[-1]["choices"][0]["delta"]["content"] == " 3"
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    [first, last] = speak("ollama_old", "repeat:")
    assert last["choices"][0]["finish_reason"] == "stop"
    assert first["choices"][0]["finish_reason"] is None


def test_llamacpp() -> None:
    """The opening content is null and the last delta carries timings."""
    chunks = speak("llamacpp", stream_options={"include_usage": True})
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": None}
    assert chunks[-2]["timings"]["predicted_n"] == 3
    thought = speak("llamacpp", reasoning_effort="low")[1]["choices"][0]["delta"]
    assert list(thought) == ["reasoning_content"]


def test_azure() -> None:
    """The first chunk has no choices, the last a choice without delta."""
    chunks = speak("azure")
    assert chunks[0]["choices"] == []
    assert chunks[0]["id"] == chunks[0]["model"] == ""
    assert "prompt_filter_results" in chunks[0]
    assert "delta" not in chunks[-1]["choices"][0]
    [whole] = speak("azure", stream=False)
    assert "prompt_filter_results" in whole


def test_groq() -> None:
    """Usage rides in `x_groq` on the finish chunk; text chunks have an empty list of calls."""
    chunks = speak("groq")
    assert chunks[0]["x_groq"]["id"]
    assert chunks[-1]["x_groq"]["usage"]["completion_tokens"] == 3
    assert chunks[1]["choices"][0]["delta"]["tool_calls"] == []


def test_mistral() -> None:
    """Arguments are objects, reasoning is a part of the content, the opening has no object."""
    chunks = speak("mistral", reasoning_effort="high")
    assert "object" not in chunks[0]
    parts = chunks[1]["choices"][0]["delta"]["content"]
    assert parts[0]["type"] == "thinking"
    assert chunks[1]["choices"][0]["delta"]["role"] is None
    for stream in (True, False):
        made = calls(speak("mistral", "clock", stream=stream, tools=[CLOCK]))
        assert list(made[0]["function"]["arguments"]) == ["zone"]
    cut = calls(speak("mistral", "clock", tools=[CLOCK], max_tokens=1))
    assert cut[0]["function"]["arguments"] == '{"zo'


def test_deepseek() -> None:
    """It reasons unasked, with null where the other field speaks, and can be told not to."""
    said = deltas(speak("deepseek"))
    thought = [delta for delta in said if delta["reasoning_content"]]
    assert thought
    assert all(delta["content"] is None for delta in thought)
    assert said[-2] == {"content": " 3", "reasoning_content": None}
    quiet = deltas(speak("deepseek", thinking={"type": "disabled"}))
    assert not [delta for delta in quiet if delta["reasoning_content"]]


@pytest.mark.parametrize("name", ["openrouter", "vllm", "ollama", "groq"])
def test_streamed_reasoning_is_the_whole_reasoning(name: str) -> None:
    """The pieces of reasoning joined are the reasoning of a whole completion."""
    [whole] = speak(name, stream=False, reasoning_effort="low")
    pieces = [delta.get("reasoning", "") for delta in deltas(speak(name, reasoning_effort="low"))]
    assert "".join(pieces) == whole["choices"][0]["message"]["reasoning"]


def test_gemini() -> None:
    """Calls have no index but a signature, arrive whole, and end with stop."""
    for stream in (True, False):
        records = speak("gemini", "clock", stream=stream, tools=[CLOCK])
        [call] = calls(records)
        assert "index" not in call
        assert call["extra_content"]["google"]["thought_signature"]
        assert json.loads(call["function"]["arguments"])
        assert records[-1]["choices"][0]["finish_reason"] == "stop"
