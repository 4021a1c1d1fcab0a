"""Recording on a cassette, what stays out of its file, and playing it."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evoclient.auth.key_pair import KeyPair
from evoclient.errors.tree import (
    APIConnectionError,
    APITimeoutError,
    ClientClosedError,
    InternalServerError,
    StreamInterruptedError,
)
from evoclient.ground import ConfigurationError
from evoclient.streaming.recording import Exchange, read_exchanges
from evoclient.testing import Cassette, DemoServer, TransportConformance
from evoclient.testing.conformance.calls import calling
from evoclient.testing.take import Take
from evoclient.transports.memory import AsyncMemoryTransport, MemoryReply, MemoryTransport
from evoclient.transports.with_aiohttp import AiohttpTransport
from evoclient.transports.with_requests import RequestsTransport
from evoclient.wire import Deadlines, Headers, Request
from tests.colours import Aio, Colour, Sync
from tests.secrets.search import ECHO, KEY, KEY_ID, SECRET, TOKEN, found
from tests.twins.scripts import chunk, cut, failing, refusing, streamed, timing_out, whole

AnyColour = Colour[Any, Any]


@pytest.fixture(params=[Sync, Aio], ids=["sync", "aio"])
def colour(request: pytest.FixtureRequest) -> Iterator[AnyColour]:
    """Give the means of one colour, then of the other."""
    made: AnyColour = request.param()
    yield made
    made.finish()


def recording(cassette: Cassette, colour: AnyColour, transport: Any) -> Any:
    """Return a transport of the colour that records."""
    record = cassette.recording if colour.name == "sync" else cassette.async_recording
    return record(transport)


def recorder(cassette: Cassette, colour: AnyColour, *script: MemoryReply, **options: Any) -> Any:
    """Return a client that records what a script says."""
    transport = recording(cassette, colour, colour.memory(script))
    return colour.client(**{"transport": transport, "model": "m", "max_retries": 0, **options})


def player(cassette: Cassette, colour: AnyColour, **how: Any) -> Any:
    """Return a client that is played a cassette, by default without waiting."""
    script = cassette.script(**{"speed": None, **how})
    return colour.client(transport=colour.memory(script), model="m", max_retries=0)


def reopened(cassette: Cassette, folder: Path) -> Cassette:
    """Save a cassette and load it."""
    cassette.save(folder / "cassette.jsonl")
    return Cassette.load(folder / "cassette.jsonl")


@pytest.mark.loopback
class TestRecordingRequests(TransportConformance):
    """What is recorded by threads arrives as it does without."""

    def make(self) -> Any:
        """Return a transport that records."""
        return Cassette().recording(RequestsTransport())


@pytest.mark.loopback
class TestRecordingAiohttp(TransportConformance):
    """What is recorded by tasks arrives as it does without."""

    def make(self) -> Any:
        """Return a transport that records."""
        return Cassette().async_recording(AiohttpTransport())


def test_a_stream_is_recorded_and_played(colour: AnyColour, tmp_path: Path) -> None:
    """A stream that was saved gives the same chunks, at any cut."""
    cassette = Cassette()
    client = recorder(cassette, colour, streamed("Жё", "l", "lo…"))
    seen = [piece.to_dict() for piece in colour.chunks(colour.stream(client))]
    loaded = reopened(cassette, tmp_path)
    assert loaded.exchanges == cassette.exchanges
    for pieces in (None, 1, 5, lambda body: [body]):
        stream = colour.stream(player(loaded, colour, cut=pieces))
        assert [piece.to_dict() for piece in colour.chunks(stream)] == seen


def test_the_file_can_be_read_by_people(colour: AnyColour, tmp_path: Path) -> None:
    """A line each for request, head, block and end, with JSON as JSON and text as text."""
    cassette = Cassette()
    reply = MemoryReply(
        headers={"X-One": "1"}, pieces=["data: Ж".encode(), "Ж".encode()[:1]], status=200
    )
    client = recorder(cassette, colour, reply)
    with pytest.raises(StreamInterruptedError):
        colour.text(colour.stream(client))
    cassette.save(tmp_path / "c.jsonl")
    lines = [
        json.loads(line) for line in (tmp_path / "c.jsonl").read_text("utf-8").split("\n")[:-1]
    ]
    first, request, head, text, piece, end = lines
    assert first == {"cassette": "evoclient", "version": 1}
    assert request["request"] == "POST"
    assert request["url"] == "http://memory.invalid/v1/chat/completions"
    assert request["json"]["messages"] == [{"role": "user", "content": "Hello"}]
    assert (head["reply"], head["headers"]) == (200, [["X-One", "1"]])
    assert text["text"] == "data: Ж"
    assert piece["base64"] == "0A=="
    assert end["end"] == "complete"
    assert all(line["after"] >= 0 for line in lines[2:])


def test_times_are_kept() -> None:
    """The head has the seconds since the request, a block and the end those since the last."""
    clock = [100.0]
    take = Take(Request("GET", "http://x/", Headers()), clock=lambda: clock[0])
    clock[0] += 3
    take.head(200, Headers())
    clock[0] += 0.5
    take.block(b"x")
    clock[0] += 0.25
    take.complete()
    clock[0] += 7
    take.closed()
    exchange = take.exchange
    assert (exchange.after, exchange.blocks[0].after, exchange.ended_after) == (3.0, 0.5, 0.25)
    assert exchange.ending == "complete"


def test_speed() -> None:
    """A speed divides all times, and None waits for nothing."""
    blocks = '{"after":1,"text":"a"}\n{"after":3,"text":"b"}\n'
    head = (
        '{"cassette":"evoclient","version":1}\n{"request":"GET","url":"http://x/","headers":[]}\n'
    )
    cassette = loaded(f'{head}{{"reply":200,"after":2,"headers":[]}}\n{blocks}{END}\n')
    request = Request("GET", "http://x/", Headers())
    for speed, factor in ((1.0, 1.0), (2, 0.5), (None, 0.0)):
        reply = cassette.script(speed=speed).reply_to(request)
        assert reply.pause_before == 2 * factor
        assert reply.pauses == (factor, 3 * factor, 0.5 * factor)


END = '{"end":"complete","after":0.5}'


def loaded(text: str) -> Cassette:
    """Return a cassette from a text."""
    return Cassette(read_exchanges(text.encode(), "text"))


def test_a_piece_comes_with_its_last_byte() -> None:
    """However it is cut, nothing is played before it had come."""
    blocks = '{"after":1,"text":"ab"}\n{"after":3,"text":"cd"}\n'
    cassette = loaded(f"{FIRST}\n{REQUEST}\n{HEAD}\n{blocks}{END}\n")
    request = Request("GET", "http://x/", Headers())
    pauses = {1: (1, 0, 3, 0, 0.5), 2: (1, 3, 0.5), 3: (4, 0, 0.5), 9: (4, 0.5)}
    for size, wanted in pauses.items():
        assert cassette.script(cut=size).reply_to(request).pauses == wanted


def test_a_played_stream_takes_its_time(colour: AnyColour) -> None:
    """At full speed a pause of the recording passes before what came after it."""
    cassette = Cassette()
    reply = MemoryReply.stream(chunk("a"), chunk(None, "stop"), pauses=[0, 0.05, 0])
    colour.text(colour.stream(recorder(cassette, colour, reply)))
    began = time.monotonic()
    assert colour.text(colour.stream(player(cassette, colour, speed=1.0))) == ["a"]
    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (failing(), APIConnectionError),
        (timing_out(), APITimeoutError),
        (refusing(500), InternalServerError),
        (cut("Hel"), StreamInterruptedError),
        (streamed("Hel", finish=None, done=False), StreamInterruptedError),
    ],
)
def test_failures_are_played(
    reply: MemoryReply, kind: type[Exception], colour: AnyColour, tmp_path: Path
) -> None:
    """An exchange that failed fails in the same way when it is played."""
    cassette = Cassette()
    errors: list[Any] = []

    def ask(client: Any) -> None:
        with pytest.raises(kind) as caught:
            colour.text(colour.stream(client))
        assert type(caught.value) is kind
        errors.append(caught.value)

    ask(recorder(cassette, colour, reply))
    ask(player(reopened(cassette, tmp_path), colour))
    one, other = errors
    assert str(one) == str(other)
    assert one.retryable == other.retryable
    assert one.partial_text == other.partial_text
    assert getattr(one, "limit", None) == getattr(other, "limit", None)


def test_a_closed_stream_is_recorded_as_closed(colour: AnyColour, tmp_path: Path) -> None:
    """A stream that was left plays as far as it was read, and says so where one reads on."""
    cassette = Cassette()
    stream = colour.stream(recorder(cassette, colour, streamed("a", "b", "c")))
    assert colour.first(stream)[0].text == "a"
    (exchange,) = cassette.exchanges
    assert exchange.ending == "closed"
    client = player(reopened(cassette, tmp_path), colour)
    with pytest.raises(StreamInterruptedError, match="closed the body, and this one reads on") as e:
        colour.text(colour.stream(client))
    assert e.value.partial_text == "a"


def test_a_read_after_closing_is_not_the_end(colour: AnyColour) -> None:
    """A body that was closed is no complete one, although reading it gives nothing more."""
    cassette = Cassette()
    memory = colour.memory([MemoryReply(pieces=[b"a", b"b"])])
    caller = calling(recording(cassette, colour, memory))
    answer = caller.send("http://x/")
    assert answer.read() == b"a"
    answer.close()
    assert answer.read() == b""
    caller.close()
    (exchange,) = cassette.exchanges
    assert (exchange.body, exchange.ending) == (b"a", "closed")


def test_an_exchange_under_way_can_be_saved(colour: AnyColour, tmp_path: Path) -> None:
    """What has come by now is in the file, while more is still read."""
    cassette = Cassette()
    stream = colour.stream(recorder(cassette, colour, streamed("a", "b")))
    assert colour.next(stream).text == "a"
    (before,) = reopened(cassette, tmp_path).exchanges
    assert (len(before.blocks), before.ending) == (1, "closed")
    assert colour.text(stream) == ["b"]
    assert cassette.exchanges[0].ending == "complete"


def test_errors_and_closing_pass_through(colour: AnyColour) -> None:
    """The error is the transport's own object, and closing the client closes its transport."""
    memory = colour.memory([failing("no such luck")])
    client = colour.client(transport=recording(Cassette(), colour, memory), max_retries=0)
    with pytest.raises(APIConnectionError, match="no such luck"):
        colour.stream(client, model="m")
    colour.close(client)
    assert memory.closes == 1
    with pytest.raises(ClientClosedError):
        colour.stream(client, model="m")


def test_names_and_classes_are_taken() -> None:
    """What a client takes as its transport can be recorded, of the right colour alone."""
    cassette = Cassette()
    cassette.recording("memory").close()
    cassette.recording(MemoryTransport).close()
    assert cassette.recording("memory").needs_server is False  # type: ignore[attr-defined]
    assert cassette.recording().needs_server is True  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match="Client needs a sync one"):
        cassette.recording(AsyncMemoryTransport())  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="no async transport 'requests'"):
        cassette.async_recording("requests")


def test_many_threads_share_a_cassette() -> None:
    """Exchanges that run at once keep their own blocks, in the order of the requests."""
    cassette = Cassette()
    memory = MemoryTransport(lambda request: MemoryReply(pieces=[request.url.encode()] * 20))
    transport = cassette.recording(memory)
    together = threading.Barrier(8)

    def ask(number: int) -> None:
        request = Request("GET", f"http://x/{number}", Headers())
        together.wait(5)
        body: Any = transport.send(request, Deadlines()).body
        while body.read(None):
            pass

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cassette.exchanges) == 8
    for exchange in cassette.exchanges:
        assert exchange.body == exchange.url.encode() * 20


# What stays out of the file.


def saved(cassette: Cassette, folder: Path) -> str:
    """Return the text of a cassette's file."""
    cassette.save(folder / "cassette.jsonl")
    return (folder / "cassette.jsonl").read_text("utf-8")


@pytest.mark.parametrize("size", [None, 1, 3, 4096])
def test_no_echo_of_a_key_is_saved(size: int | None, colour: AnyColour, tmp_path: Path) -> None:
    """A key is in no spelling in the file, wherever the server has put it and cut it."""
    text = json.dumps({"error": {"message": ECHO}})
    pieces = [text.encode()] if size is None else _pieces(text.encode(), size)
    headers = {"X-Echo": KEY, "Set-Cookie": "session=abc", "X-Plain": "stays"}
    reply = MemoryReply(status=400, headers=headers, pieces=pieces)
    cassette = Cassette()
    client = recorder(
        cassette,
        colour,
        reply,
        api_key=KEY,
        default_query={"api_key": SECRET, "page": "2"},
        default_headers={"X-Custom-Token": TOKEN, "Proxy-Authorization": f"Basic {KEY_ID}"},
    )
    with pytest.raises(Exception, match=r"."):
        colour.create(client, messages=[{"role": "user", "content": f"my key is {KEY}"}])
    written = saved(cassette, tmp_path)
    assert not found([("file", written)], (KEY, SECRET, TOKEN, KEY_ID))
    assert "session=abc" not in written
    assert '"my key is ***"' in written
    assert "page=2" in written
    assert "stays" in written
    (exchange,) = cassette.exchanges
    assert len(exchange.body) == len(text.encode())
    assert [len(block.data) for block in exchange.blocks] == [len(piece) for piece in pieces]


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.loopback
def test_a_token_exchange_is_saved_without_secrets(colour: AnyColour, tmp_path: Path) -> None:
    """Pair and token are not in the file, and it plays with a pair of any kind, or without."""
    cassette = Cassette()
    token = json.dumps({"access_token": TOKEN, "refresh_token": "r-1", "expires_in": 3600})
    replies = [
        MemoryReply(pieces=_pieces(token.encode(), 30), headers={"Content-Type": "text/json"}),
        refusing(400, f"no such model for {TOKEN} of {KEY_ID}"),
        whole("Hello"),
    ]
    client = recorder(cassette, colour, *replies, auth=KeyPair(KEY_ID, SECRET))
    with pytest.raises(Exception, match="no such model"):
        colour.create(client)
    colour.create(client)
    written = saved(cassette, tmp_path)
    assert not found([("file", written)], (KEY_ID, SECRET, TOKEN))
    assert "r-1" not in written
    played = Cassette.load(tmp_path / "cassette.jsonl")
    pairs: list[dict[str, Any]] = [{"auth": KeyPair("other-id", "other-secret")}, {}]
    for options in pairs:
        memory = colour.memory(played.script(speed=None))
        again = colour.client(transport=memory, model="m", max_retries=0, **options)
        with pytest.raises(Exception, match="no such model"):
            colour.create(again)
        assert colour.create(again).text == "Hello"


def test_short_credentials_are_known_by_their_names(tmp_path: Path) -> None:
    """What is too short to be looked for is masked where its name tells what it is."""
    cassette = Cassette()
    memory = MemoryTransport([MemoryReply(pieces=[b'{"access_token":"t1","secret" : "s1"}'])] * 2)
    transport = cassette.recording(memory)
    bodies = (b'{"keyId":"k1","secret":"s1","scope":"all"}', b"client_id=x&client_secret=s1&b=%C3")
    for body in bodies:
        request = Request("POST", "http://user:p1@x/token?key=q1&a=1", Headers(), body)
        reply: Any = transport.send(request, Deadlines())
        while reply.body.read(None):
            pass
    written = saved(cassette, tmp_path)
    for secret in ("k1", "s1", "t1", "p1", "q1"):
        assert secret not in written
    first, second = Cassette.load(tmp_path / "cassette.jsonl").exchanges
    assert first.request_body == b'{"keyId":"***","secret":"***","scope":"all"}'
    assert second.request_body == b"client_id=x&client_secret=***&b=%C3"
    assert first.url == "http://***@x/token?key=***&a=1"
    assert first.body == b'{"access_token":"**","secret" : "**"}'


def recorded(body: bytes, *replies: bytes, folder: Path) -> tuple[str, list[Exchange]]:
    """Return the file of one request that was answered so often, and what is read from it."""
    cassette = Cassette()
    transport = cassette.recording(
        MemoryTransport([MemoryReply(pieces=[each]) for each in replies])
    )
    for _ in replies:
        reply: Any = transport.send(Request("POST", "http://x/v1/a", Headers(), body), Deadlines())
        while reply.body.read(None):
            pass
    return saved(cassette, folder), list(reopened(cassette, folder).exchanges)


ADDRESS = "https://user:p@w1@host/x?token=tok1&a=1"


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"provider": {"api_key": SECRET}}, {"provider": {"api_key": "***"}}),
        ({"a": [{"b": [{"Password": SECRET}]}]}, {"a": [{"b": [{"Password": "***"}]}]}),
        (
            {"tools": [{"headers": {"Authorization": f"Bearer {SECRET}", "X-My-Token": SECRET}}]},
            {"tools": [{"headers": {"Authorization": "***", "X-My-Token": "***"}}]},
        ),
        (
            {"extra_headers": {"cookie": ["tok1", SECRET]}},
            {"extra_headers": {"cookie": ["***"] * 2}},
        ),
        ({"tools": [{"authorization": SECRET}]}, {"tools": [{"authorization": "***"}]}),
        ({"server_url": ADDRESS}, {"server_url": "https://***@host/x?token=***&a=1"}),
        (
            {"content": f'See {ADDRESS} and "ftp://tok1@h/", it is 1://2'},
            {"content": 'See https://***@host/x?token=***&a=1 and "ftp://***@h/", it is 1://2'},
        ),
        (
            {"arguments": json.dumps({"n": 1, "api_key": SECRET})},
            {"arguments": '{"n": 1, "api_key": "***"}'},
        ),
        (
            {"arguments": f'{{"secret": {json.dumps(SECRET)}, "n'},
            {"arguments": '{"secret": "***", "n'},
        ),
    ],
)
def test_credentials_inside_a_request_are_masked(asked: Any, wanted: Any, tmp_path: Path) -> None:
    """A name tells a credential at any depth of a body, in its addresses and in JSON in a text."""
    written, (exchange,) = recorded(body_of(asked), b"{}", folder=tmp_path)
    assert not any(secret in written for secret in (SECRET, "tok1", "p@w1", "w1@"))
    assert json.loads(exchange.request_body or b"") == wanted
    script = Cassette([exchange]).script(speed=None)
    request = Request("POST", "http://x/v1/a", Headers(), body_of(asked))
    assert script.reply_to(request).status == 200


def test_what_is_no_credential_stays(tmp_path: Path) -> None:
    """A schema that has a password, a number and an address without secrets stay as they were."""
    body = body_of(
        {
            "properties": {"password": {"type": "string"}, "headers": {"token": 3}},
            "required": ["password"],
            "token": "a word",
            "image_url": {"url": "https://host:80/a@b?page=2"},
            "secret": None,
        }
    )
    _, (exchange,) = recorded(body, b"{}", folder=tmp_path)
    assert exchange.request_body == body


def test_json_inside_another_body_is_masked(tmp_path: Path) -> None:
    """A body that is no JSON document, such as an upload of lines, has its members masked too."""
    body = b'--x\r\n\r\n{"a":1,"api_key":"k1k1"}\n{"Authorization": "k1k1"}\r\n--x--'
    written, _ = recorded(body, b"{}", folder=tmp_path)
    assert "k1k1" not in written
    assert "--x--" in written


def test_a_credential_inside_a_request_is_masked_in_its_reply(tmp_path: Path) -> None:
    """What a name in a body tells to be a secret is looked for everywhere, if it is no word."""
    asked = {"a": [{"api_key": SECRET, "headers": {"Authorization": f"Bearer {TOKEN}"}}]}
    asked["a"].append({"password": "a sentence that is none", "secret": "letters"})
    reply = f"{SECRET} {TOKEN} a sentence that is none, letters".encode()
    written, (exchange,) = recorded(body_of(asked), reply, folder=tmp_path)
    assert not found([("file", written)], [SECRET, TOKEN])
    assert exchange.body.endswith(b"* a sentence that is none, letters")
    assert len(exchange.body) == len(reply)


def test_credentials_in_any_reply_are_masked(tmp_path: Path) -> None:
    """Members that are credentials are masked at their length, also where nobody signs in."""
    replies = (
        b'{"keys":[{"id":1,"api_key": "sk-1","Authorization":"b"}],"content":"password: no"}',
        b'data: {"a":{"client_secret":"c\\"1"}}\n\ndata: {"token":"word"}\n\n',
    )
    _, exchanges = recorded(b'{"model":"m"}', *replies, folder=tmp_path)
    assert [exchange.body for exchange in exchanges] == [
        b'{"keys":[{"id":1,"api_key": "****","Authorization":"*"}],"content":"password: no"}',
        b'data: {"a":{"client_secret":"****"}}\n\ndata: {"token":"word"}\n\n',
    ]


def test_a_secret_of_one_exchange_is_masked_in_all(tmp_path: Path) -> None:
    """What one request or answer has shown to be a secret is no secret of that one alone."""
    cassette = Cassette()
    told = json.dumps({"access_token": TOKEN}).encode()
    replies = [MemoryReply(pieces=[f"{KEY} {TOKEN}".encode()]), MemoryReply(pieces=[told])]
    transport = cassette.recording(MemoryTransport([*replies, failing(f"not for {KEY}")]))
    for headers in ({}, {"Authorization": f"Bearer {KEY}"}):
        request = Request("GET", "http://x/", Headers(headers))
        body: Any = transport.send(request, Deadlines()).body
        body.read(None)
    with pytest.raises(APIConnectionError):
        transport.send(Request("GET", "http://x/", Headers()), Deadlines())
    assert not found([("file", saved(cassette, tmp_path))], [KEY, TOKEN])


def test_a_compressed_body_is_recorded_decompressed(colour: AnyColour, tmp_path: Path) -> None:
    """Secrets in a body that a server compressed unasked are found, and it plays all the same."""
    text = json.dumps({"choices": [], "note": KEY})
    packed = gzip.compress(text.encode())
    headers = {"Content-Encoding": "gzip", "Content-Length": str(len(packed)), "X-One": "1"}
    cassette = Cassette()
    reply = MemoryReply(headers=headers, pieces=_pieces(packed, 7))
    colour.create(recorder(cassette, colour, reply, api_key=KEY))
    assert not found([("file", saved(cassette, tmp_path))], [KEY])
    (exchange,) = cassette.exchanges
    assert dict(exchange.headers) == {"x-one": "1"}
    assert exchange.body == text.replace(KEY, "*" * len(KEY)).encode()
    assert colour.create(player(cassette, colour)).choices == []


def test_an_encoding_that_cannot_be_undone_is_left_out(colour: AnyColour, tmp_path: Path) -> None:
    """A body in which nobody can look for secrets is not saved."""
    cassette = Cassette()
    reply = MemoryReply(headers={"Content-Encoding": "br"}, pieces=[b"packed"])
    with pytest.raises(Exception, match="br"):
        colour.create(recorder(cassette, colour, reply))
    assert "packed" not in saved(cassette, tmp_path)


# Playing.


def test_another_request_is_refused(colour: AnyColour) -> None:
    """A request with another path than the recorded one is not answered, and both are named."""
    cassette = Cassette()
    colour.create(recorder(cassette, colour, whole()))
    client = player(cassette, colour)
    with pytest.raises(APIConnectionError, match=r"POST /v1/chat/completions, and .* GET /v1/mod"):
        colour.run(client.models.list())
    # The place in the script is kept.
    assert colour.create(client).text == "Hello"
    with pytest.raises(APIConnectionError, match="1 exchange, and there is none left") as caught:
        colour.create(client)
    assert not caught.value.retryable


def test_another_base_url_is_no_other_request(colour: AnyColour) -> None:
    """What was recorded from one address plays for a client with another."""
    cassette = Cassette()
    options = {"base_url": "https://openrouter.ai/api/v1", "api_key": "sk-or-0123456789"}
    colour.create(recorder(cassette, colour, whole(), **options))
    assert colour.create(player(cassette, colour)).text == "Hello"


def user(text: str) -> list[dict[str, str]]:
    """Return a conversation of one question."""
    return [{"role": "user", "content": text}]


def test_another_question_is_refused(colour: AnyColour, tmp_path: Path) -> None:
    """A changed prompt gets no answer to the old one, and the error tells where it differs."""
    cassette = Cassette()
    colour.create(recorder(cassette, colour, whole()), messages=user("Greet Ann"))
    played = reopened(cassette, tmp_path)
    client = player(played, colour)
    with pytest.raises(APIConnectionError) as caught:
        colour.create(client, messages=user("Greet Bob"))
    told = str(caught.value)
    assert "messages[0].content was 'Greet Ann' and is 'Greet Bob' now" in told
    assert "Record the cassette anew" in told
    assert 'match="path"' in told
    assert not caught.value.retryable
    # The place in the script is kept.
    assert colour.create(client, messages=user("Greet Ann")).text == "Hello"
    client = player(played, colour, match="path")
    assert colour.create(client, messages=user("Greet Bob")).text == "Hello"


def body_of(value: object) -> bytes:
    """Return a body of JSON."""
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("recorded", "asked", "told"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, None),
        ({"a": 1}, {"a": 1.0}, None),
        ({"a": True}, {"a": 1}, "a was True and is 1"),
        ({"a": 1}, {"a": True}, "a was 1 and is True"),
        ({"a": 1}, {}, "a was 1 and is not there"),
        ({}, {"a": {"b": 1}}, "a was not there and is {'b': 1}"),
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": 0}]}, r"a\[1\].b was None and is 0"),
        ({"a": [1]}, {"a": [1, 2]}, r"a\[1\] was not there and is 2"),
        ([], {}, r"the body was \[\] and is {}"),
        ({"a": "key ***, *** it is"}, {"a": "key sk-1, yes it is"}, None),
        ({"a": "***"}, {"a": ""}, None),
        ({"a": "x ***"}, {"a": "y sk-1"}, r"a was 'x \*\*\*' and is 'y sk-1'"),
        ({"a": "one *** two *** one"}, {"a": "one two"}, "a was 'one .*"),
        ({"a": "***b***b"}, {"a": "b"}, "a was .*"),
        ({"***": 1}, {"sk-1": 1}, None),
        ({"api_key": "***"}, {"api_key": 7}, None),
        ({}, {"api_key": "sk-1"}, r"api_key was not there and is '\*\*\*'"),
        ({"a": "w " * 99 + "x"}, {"a": "w " * 99 + "yes"}, "a was '…w .* w x' and is '…w .* yes'"),
    ],
    ids=str,
)
def test_bodies_are_compared(recorded: Any, asked: Any, told: str | None) -> None:
    """All counts but the order of keys and what was masked."""
    exchange = Exchange(method="POST", url="http://x/v1/a", request_headers=Headers(),
                        request_body=body_of(recorded), status=200)  # fmt: skip
    script = Cassette([exchange]).script(speed=None)
    request = Request("POST", "http://y/a", Headers(), body_of(asked))
    if told is None:
        assert script.reply_to(request).status == 200
    else:
        with pytest.raises(APIConnectionError, match=f"{told} now"):
            script.reply_to(request)


@pytest.mark.parametrize("bodies", [(None, b"{}"), (b"{}", None), (b"a=1", b"a=2"), (b"{}", b"x")])
def test_bodies_that_are_not_json(bodies: tuple[bytes | None, bytes | None]) -> None:
    """They are not compared."""
    exchange = Exchange(
        method="POST", url="http://x/a", request_headers=Headers(), request_body=bodies[0],
        status=200,
    )  # fmt: skip
    request = Request("POST", "http://x/a", Headers(), bodies[1])
    assert Cassette([exchange]).script(speed=None).reply_to(request).status == 200


def test_a_key_of_the_player_is_in_no_error(colour: AnyColour) -> None:
    """What differs is told without the secrets of the one who plays, who may have another key."""
    cassette = Cassette()
    client = recorder(cassette, colour, whole(), whole("Hi"), api_key=KEY)
    colour.create(client, messages=user(f"my key is {KEY}"))
    colour.create(client, messages=user("another"))
    memory = colour.memory(cassette.script(speed=None))
    again = colour.client(transport=memory, model="m", max_retries=0, api_key=SECRET)
    assert colour.create(again, messages=user(f"my key is {SECRET}")).text == "Hello"
    with pytest.raises(APIConnectionError, match=r"is '\*\*\* it is' now") as caught:
        colour.create(again, messages=user(f"{SECRET} it is"))
    assert SECRET not in str(caught.value)


def test_requests_may_come_in_another_order(colour: AnyColour) -> None:
    """Each question gets its own answer; the same question gets its answers in their order."""
    cassette = Cassette()
    client = recorder(cassette, colour, whole("1"), whole("2"), whole("3"))
    for text in ("a", "b", "b"):
        colour.create(client, messages=user(text))
    client = player(cassette, colour)
    answers = [colour.create(client, messages=user(text)).text for text in ("b", "a", "b")]
    assert answers == ["2", "1", "3"]
    client = player(cassette, colour, match="path")
    answers = [colour.create(client, messages=user(text)).text for text in ("b", "a", "b")]
    assert answers == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ({"match": "all"}, 'match is "body"'),
        ({"match": None}, "match is"),
        ({"speed": 0}, "speed must be a number above 0"),
        ({"speed": True}, "speed must be"),
        ({"speed": "fast"}, "speed must be"),
        ({"cut": 0}, "cut must be a number of bytes"),
        ({"cut": 1.5}, "cut must be"),
        ({"cut": lambda body: [body, b"x"]}, "are not the body"),
    ],
)
def test_what_cannot_be_played_is_refused(how: dict[str, Any], named: str) -> None:
    """A speed or a cut that means nothing is refused before anything plays."""
    cassette = Cassette()
    colour = Sync()
    colour.create(recorder(cassette, colour, whole()))
    with pytest.raises(ConfigurationError, match=named) as caught:
        cassette.script(**how)
    assert caught.value.argument in how


FIRST = '{"cassette":"evoclient","version":1}'
REQUEST = '{"request":"GET","url":"http://x/","headers":[]}'
HEAD = '{"reply":200,"after":0,"headers":[["A","b"]]}'


@pytest.mark.parametrize(
    ("lines", "number", "problem"),
    [
        ([], 1, "the file is empty"),
        (['{"a":1}'], 1, "not the first line of a cassette"),
        (['{"cassette":"evoclient","version":2}'], 1, "of version 2, and .* reads version 1"),
        (["{"], 1, "not a line of JSON"),
        ([FIRST, "[]"], 2, "not a JSON object"),
        ([FIRST, '{"request":1}'], 2, "“request” must be there"),
        ([FIRST, '{"request":"GET","url":"u","headers":[["a"]]}'], 2, "“headers” must be"),
        ([FIRST, REQUEST, '{"reply":"200"}'], 3, "“reply” must be the status"),
        ([FIRST, REQUEST, HEAD.replace('"after":0', '"after":-1')], 3, "“after” must be there"),
        ([FIRST, REQUEST, HEAD, '{"after":0}'], 4, "“text” must be there"),
        ([FIRST, REQUEST, HEAD, '{"after":0,"base64":"!"}'], 4, "no base64"),
        ([FIRST, REQUEST, HEAD, '{"after":0,"text":"\\ud800"}'], 4, "no text"),
        ([FIRST, REQUEST, HEAD, '{"end":"well","after":0}'], 4, "“end” must be one of complete"),
        ([FIRST, REQUEST, HEAD, '{"end":"failed","after":0}'], 4, "“error” must be there"),
        ([FIRST, REQUEST, HEAD], 4, "breaks off"),
        ([FIRST, REQUEST, HEAD, END, "x"], 5, "not a line of JSON"),
    ],
)
def test_a_broken_file_is_named_with_its_line(
    lines: list[str], number: int, problem: str, tmp_path: Path
) -> None:
    """What cannot be read names file and line, and what is wrong there."""
    path = tmp_path / "broken.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    with pytest.raises(ConfigurationError, match=rf"broken\.jsonl, line {number}: .*{problem}"):
        Cassette.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Without the file there is an error that names it."""
    with pytest.raises(ConfigurationError, match=r"none\.jsonl cannot be read: No such file"):
        Cassette.load(tmp_path / "none.jsonl")


def test_a_file_that_cannot_be_written_stays(tmp_path: Path) -> None:
    """What cannot be saved is an error, and nothing half written is left."""
    (tmp_path / "c.jsonl").mkdir()
    with pytest.raises(OSError, match=r"c\.jsonl"):
        loaded(f"{FIRST}\n{REQUEST}\n{HEAD}\n{END}\n").save(tmp_path / "c.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["c.jsonl"]


def test_nothing_is_not_saved(tmp_path: Path) -> None:
    """A cassette without exchanges is no reason to lose a good one."""
    (tmp_path / "c.jsonl").write_text("good", "utf-8")
    with pytest.raises(ConfigurationError, match="Nothing was recorded"):
        Cassette().save(tmp_path / "c.jsonl")
    assert (tmp_path / "c.jsonl").read_text("utf-8") == "good"


@pytest.mark.loopback
def test_a_real_server_is_recorded(colour: AnyColour, tmp_path: Path) -> None:
    """What a server sends over sockets plays as it came, retries included."""
    cassette = Cassette()
    with DemoServer(pace=0, api_key="sk-0123456789") as server:
        server.play("status", code=503, retry_after=0)
        client = colour.client(
            base_url=server.base_url,
            api_key=server.api_key,
            model="demo",
            transport=recording(cassette, colour, colour.transport),
        )
        seen = colour.text(colour.stream(client, messages=[{"role": "user", "content": "Hi"}]))
        colour.close(client)
    played = reopened(cassette, tmp_path)
    assert [exchange.status for exchange in played.exchanges] == [503, 200]
    memory = colour.memory(played.script(speed=None, cut=1))
    again = colour.client(transport=memory, model="m", retry_delay=0)
    asked = [{"role": "user", "content": "Hi"}]
    stream = colour.stream(again, messages=asked, model="demo")
    assert "".join(colour.text(stream)) == "".join(seen)
    assert "sk-0123456789" not in (tmp_path / "cassette.jsonl").read_text("utf-8")


def test_a_cassette_shows_nothing_of_what_it_holds() -> None:
    """Its repr says how much there is."""
    cassette = Cassette()
    Sync().create(recorder(cassette, Sync(), whole(), api_key=KEY))
    assert repr(cassette) == "<Cassette with 1 exchange>"
