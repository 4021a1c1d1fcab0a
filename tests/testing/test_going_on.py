"""Going on with an answer that is there in part, and plays that end: recovery over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from evoclient.errors.tree import StreamInterruptedError
from evoclient.recovery import _GO_ON
from evoclient.testing import DemoServer
from evoclient.testing.answers import answer
from evoclient.testing.encores import Encores
from evoclient.testing.going_on import Begun, begun_in, conversation_of
from evoclient.testing.plays import read_plays
from evoclient.testing.question import read_chat
from tests.colours import Aio, Colour, Sync

AnyColour = Colour[Any, Any]
QUESTIONS = ("count to 50", "repeat: one two three four five six seven", "Why is it?", "Почему?")


@pytest.fixture(params=[Sync, Aio], ids=["sync", "aio"])
def colour(request: pytest.FixtureRequest) -> Iterator[AnyColour]:
    """Give the means of one colour, then of the other."""
    made: AnyColour = request.param()
    yield made
    made.finish()


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    """A server that does not wait between pieces."""
    with DemoServer(pace=0) as made:
        yield made


def user(text: str) -> dict[str, str]:
    """Return a message of a user."""
    return {"role": "user", "content": text}


def model(text: str) -> dict[str, str]:
    """Return a message of a model."""
    return {"role": "assistant", "content": text}


def said(*messages: Any, **fields: Any) -> str:
    """Return what is answered to a conversation."""
    question = read_chat({"model": "m", "messages": list(messages), **fields})
    return answer(question, id="x").choices[0].text


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_is_gone_on_with(question: str) -> None:
    """Wherever it was cut, the rest comes; asked in words, its last words come again before."""
    whole = said(user(question))
    for place in range(1, len(whole) + 1):
        begun, rest = whole[:place], whole[place:]
        assert said(user(question), model(begun)) == rest
        tail = begun[-30:]
        asked = user(_GO_ON.format(tail=tail))
        assert said(user(question), model(begun), asked) == tail + rest


def test_limits_are_those_of_the_rest() -> None:
    """Stop sequences and the limit of tokens count from where the answer goes on."""
    begun = [user("count to 9"), model("1 2 3")]
    assert said(*begun, max_tokens=2) == " 4 5"
    assert said(*begun, stop="7") == " 4 5 6 "


@pytest.mark.parametrize(
    ("messages", "begun"),
    [
        ([user("a")], None),
        ([user("a"), model("b")], (1, Begun("b"))),
        ([user("a"), model("b"), user("c")], None),
        ([user("a"), model("b c"), user("go on: «c»")], (1, Begun("b c", "c"))),
        ([user("a"), model("b «c»"), user("«b «c»»")], (1, Begun("b «c»", "b «c»"))),
        ([user("a"), model("b"), user("what is «c»?")], None),
        ([model("b")], None),
        ([user("a"), model("")], None),
        ([user("a"), {**model("b"), "tool_calls": [{}]}], None),
        ([user("a"), {"role": "assistant", "content": None}], None),
        ([7, None], None),
        ([], None),
    ],
    ids=str,
)
def test_what_is_begun(messages: list[Any], begun: tuple[int, Begun] | None) -> None:
    """An answer is begun where it stands last, or its last words are quoted to go on from."""
    before, found = (len(messages), None) if begun is None else begun
    assert begun_in(messages) == (messages[:before], found)
    assert conversation_of({"messages": messages}) == messages[:before]


def test_another_answer_is_begun_anew() -> None:
    """What does not begin as the answer does is not gone on with: the answer comes whole."""
    assert said(user("count to 3"), model("Sure: ")) == "1 2 3"


def test_a_question_of_any_kind() -> None:
    """What is asked is found in every body."""
    assert conversation_of({"model": "m", "prompt": "p"}) == "p"
    assert conversation_of({"model": "m", "input": ["p"]}) == ["p"]
    assert [conversation_of(body) for body in (None, [1], {}, {"messages": 7})] == [
        None, [1], None, None,
    ]  # fmt: skip


# Plays that are performed some of the times.


def performed(encores: Encores, wanted: str, question: object = "q") -> list[str]:
    """Return the names of what is performed."""
    return [play.name for play in encores.due(read_plays(wanted), question)]


@pytest.mark.parametrize(
    ("wanted", "rounds"),
    [
        ("cut", [["cut"], ["cut"], ["cut"]]),
        ("cut;times=1", [["cut"], [], ["cut"], []]),
        ("cut;times=2", [["cut"], ["cut"], [], ["cut"]]),
        ("vllm, cut;times=1", [["vllm", "cut"], ["vllm"], ["vllm", "cut"]]),
        ("cut;times=1, drip;times=2", [["cut", "drip"], ["drip"], [], ["cut", "drip"]]),
        ("status;times=1, cut;times=1", [["status"], ["cut"], [], ["status"]]),
        ("vllm, status;times=1, cut", [["vllm", "status"], ["vllm", "cut"], ["vllm", "status"]]),
        ("status;times=1, html;times=1", [["status"], ["html"], [], ["status"]]),
        ("vllm;times=1", [["vllm"], [], ["vllm"]]),
    ],
)
def test_plays_that_end(wanted: str, rounds: list[list[str]]) -> None:
    """A play is performed so many times; when the question was answered, it begins anew."""
    encores = Encores()
    assert [performed(encores, wanted) for _ in rounds] == rounds


def test_each_question_has_its_own_count() -> None:
    """What another asks, or asks with other plays, is not counted."""
    encores = Encores()
    assert performed(encores, "cut;times=1", "one") == ["cut"]
    assert performed(encores, "cut;times=1", "other") == ["cut"]
    assert performed(encores, "cut;after=7;times=1", "one") == ["cut"]
    assert performed(encores, "cut;times=1", "one") == []


def test_the_count_is_no_option_of_the_fault() -> None:
    """What is performed has all options but the number of times."""
    (play,) = Encores().due(read_plays("cut;after=7;times=1"), None)
    assert dict(play.options) == {"after": 7}


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("provider", "recover", "models"),
    [
        ("generic", "continue", ["demo", "demo"]),
        ("vllm", "continue", ["demo", "demo"]),
        ("generic", "restart", ["demo", "demo"]),
        ("generic", ["small", "smaller"], ["demo", "small"]),
        ("vllm", ["small"], ["demo", "small"]),
    ],
)
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_recovery_over_http(
    question: str, provider: str, recover: Any, models: list[str], server: DemoServer,
    colour: AnyColour,
) -> None:  # fmt: skip
    """A stream that the request breaks once comes whole, each time it is asked for."""
    client = colour.client(
        base_url=server.base_url, provider=provider, model="demo", retry_delay=0,
        transport=colour.transport,
    )  # fmt: skip
    whole = said(user(question))
    play = {"demo_play": "cut;after=6;times=1"}
    for _ in range(2):
        before = len(server.requests)
        stream = colour.stream(client, messages=[user(question)], recover=recover, extra_body=play)
        assert "".join(colour.text(stream)) == whole
        assert [request.json["model"] for request in server.requests[before:]] == models
    colour.close(client)


@pytest.mark.loopback
def test_a_recovery_behind_a_refusal(server: DemoServer, colour: AnyColour) -> None:
    """A request that is refused at first, and then cut, comes whole in the third attempt."""
    client = colour.client(
        base_url=server.base_url, model="demo", retry_delay=0, transport=colour.transport
    )
    play = {"demo_play": "status;code=503;retry_after=0;times=1, cut;after=20;times=1"}
    before = len(server.requests)
    stream = colour.stream(
        client, messages=[user("count to 50")], recover="continue", extra_body=play
    )
    assert "".join(colour.text(stream)) == said(user("count to 50"))
    assert len(server.requests) == before + 3
    stream = colour.stream(client, messages=[user("count to 50")], extra_body={
        "demo_play": "cut;after=20"})  # fmt: skip
    with pytest.raises(StreamInterruptedError):
        colour.text(stream)
    colour.close(client)


@pytest.mark.loopback
def test_a_play_by_header_ends_too(server: DemoServer) -> None:
    """A request without a body is known by its path."""
    headers = {"X-Demo-Play": "status;code=503;times=2"}
    url = f"{server.base_url}/models"
    got = [requests.get(url, headers=headers, timeout=5).status_code for _ in range(4)]
    assert got == [503, 503, 200, 503]
    assert requests.get(f"{url}/demo", headers=headers, timeout=5).status_code == 503


def test_queued_plays_have_another_count(server: DemoServer) -> None:
    """A play that is queued is given its times as an argument, and says so."""
    with pytest.raises(ValueError, match=r'server\.play\("cut", times=2\)'):
        server.play("cut;times=2")
