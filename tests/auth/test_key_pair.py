"""The token exchange, driven by hand and through both clients."""

from __future__ import annotations

import asyncio
import json
import math
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from evoclient.aio.client import AsyncClient
from evoclient.auth.key_pair import DOUBTFUL_LIFE, LONGEST_LIFE, USUAL_LIFE, KeyPair
from evoclient.errors.tree import (
    APIError,
    APIStatusError,
    AuthenticationError,
    InternalServerError,
    PermissionDeniedError,
    ResponseDecodeError,
)
from evoclient.ground import ConfigurationError
from evoclient.sync.client import Client
from evoclient.testing.server import DemoServer
from evoclient.transports.memory import MemoryReply, MemoryTransport
from evoclient.wire import Request
from tests.colours import Aio, Colour, Sync
from tests.twins.scripts import refusing, whole

AnyColour = Colour[Any, Any]

TOKEN_URL = "https://iam.test/token"
API = "https://api.test/v1"
PAIR: dict[str, Any] = {"key_id": "planted-id-01", "secret": "planted-secret-01"}
MESSAGES = [{"role": "user", "content": "repeat: Hi"}]


@pytest.fixture(params=[Sync, Aio], ids=["sync", "aio"])
def colour(request: pytest.FixtureRequest) -> Iterator[AnyColour]:
    """Give the means of one colour, then of the other."""
    made: AnyColour = request.param()
    yield made
    made.finish()


class Clock:
    """A monotonic clock that stands until it is moved."""

    def __init__(self) -> None:
        """Begin somewhere."""
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Desk:
    """A token endpoint and an API behind one script: tokens are numbered."""

    def __init__(self, expires_in: object = 3600) -> None:
        """Begin with no token given out."""
        self.expires_in = expires_in
        self.exchanges = 0
        self.sent: list[str] = []
        self.refuse: set[str] = set()
        self.refusal = refusing(401, "no")
        self.desk: Callable[[], MemoryReply] = self.token

    def token(self) -> MemoryReply:
        """Give the next token."""
        answer: dict[str, Any] = {"access_token": f"token-{self.exchanges}", "token_type": "Bearer"}
        if self.expires_in is not ...:
            answer["expires_in"] = self.expires_in
        return MemoryReply.json(answer)

    def __call__(self, request: Request) -> MemoryReply:
        """Answer one request."""
        if request.url == TOKEN_URL:
            self.exchanges += 1
            return self.desk()
        sent = request.headers["authorization"].removeprefix("Bearer ")
        self.sent.append(sent)
        return self.refusal if sent in self.refuse else whole("Hi")


def client_of(colour: AnyColour, desk: Desk, clock: Clock | None = None, **options: Any) -> Any:
    """Return a client whose key pair is exchanged at a desk."""
    auth = KeyPair(**PAIR, token_url=TOKEN_URL, clock=clock or Clock())
    return colour.client(
        transport=colour.memory(desk),
        base_url=API,
        model="m",
        auth=auth,
        **options,
    )


def test_the_exchange(colour: AnyColour) -> None:
    """The pair is posted as Cloud.ru wants it, once, and the token is sent as a bearer."""
    transport = colour.memory(Desk())
    auth = KeyPair(**PAIR, token_url=TOKEN_URL)
    client = colour.client(transport=transport, base_url=API, model="m", auth=auth)
    assert colour.create(client).text == "Hi"
    assert colour.create(client).text == "Hi"
    exchange, first, second = transport.requests
    assert (exchange.method, exchange.url) == ("POST", TOKEN_URL)
    assert json.loads(exchange.body) == {"keyId": PAIR["key_id"], "secret": PAIR["secret"]}
    assert exchange.headers["content-type"] == "application/json"
    assert "authorization" not in exchange.headers
    assert first.headers["authorization"] == second.headers["authorization"] == "Bearer token-1"


def test_nothing_is_sent_before_it_is_needed(colour: AnyColour) -> None:
    """Making a client and asking about the token sends nothing."""
    desk = Desk()
    client = client_of(colour, desk)
    info = client.current_token_info()
    assert (info.has_token, info.is_valid, info.expires_in) == (False, False, None)
    assert desk.exchanges == 0
    colour.create(client)
    info = client.current_token_info()
    assert (info.has_token, info.is_valid) == (True, True)
    assert info.expires_in == pytest.approx(3570)
    assert client.headers()["Authorization"] == "***"


def test_an_expired_token_is_fetched_anew(colour: AnyColour) -> None:
    """A token counts as expired half a minute, or a tenth of its life, before its end."""
    desk, clock = Desk(expires_in=100), Clock()
    client = client_of(colour, desk, clock)
    colour.create(client)
    clock.now += 79
    colour.create(client)
    assert desk.exchanges == 1
    clock.now += 12
    colour.create(client)
    assert (desk.exchanges, desk.sent) == (2, ["token-1", "token-1", "token-2"])


def test_renewed_ahead_of_time(colour: AnyColour) -> None:
    """From 80 % of its life on, a token is renewed while the old one goes on being used."""
    desk, clock = Desk(expires_in=100), Clock()
    client = client_of(colour, desk, clock)
    colour.create(client)
    clock.now += 81
    colour.create(client)
    wait_for(colour, lambda: desk.exchanges == 2 and client.current_token_info().expires_in > 50)
    colour.create(client)
    assert desk.sent == ["token-1", "token-1", "token-2"]


def test_a_renewal_that_fails_is_not_the_callers_concern(
    colour: AnyColour, caplog: pytest.LogCaptureFixture
) -> None:
    """While the old token is valid, a failed renewal is logged, and tried again later."""
    desk, clock = Desk(expires_in=1000), Clock()
    client = client_of(colour, desk, clock, max_retries=0)
    colour.create(client)
    desk.desk = lambda: refusing(503)
    clock.now += 810
    for _ in range(3):
        assert colour.create(client).text == "Hi"
    wait_for(colour, lambda: "renewed" in caplog.text)
    assert desk.exchanges == 2
    clock.now += 20
    assert colour.create(client).text == "Hi"
    wait_for(colour, lambda: desk.exchanges == 3)


def test_a_refused_token_is_replaced_once(colour: AnyColour) -> None:
    """A 401 causes one fresh token and one repeat, though retries are off."""
    desk = Desk()
    desk.refuse = {"token-1"}
    client = client_of(colour, desk, max_retries=0)
    assert colour.create(client).text == "Hi"
    assert (desk.exchanges, desk.sent) == (2, ["token-1", "token-2"])


def test_never_a_loop(colour: AnyColour) -> None:
    """A server that refuses the fresh token too is believed."""
    desk = Desk()
    desk.refuse = {f"token-{number}" for number in range(9)}
    client = client_of(colour, desk)
    with pytest.raises(AuthenticationError):
        colour.create(client)
    assert desk.exchanges == 2
    assert len(desk.sent) == 2


@pytest.mark.parametrize("words", ["JWT is expired", "token expired", "jwt expired"])
def test_a_403_that_says_expired(colour: AnyColour, words: str) -> None:
    """A 403 whose text says that the token expired is treated as a 401."""
    desk = Desk()
    desk.refuse, desk.refusal = {"token-1"}, refusing(403, words)
    assert colour.create(client_of(colour, desk, max_retries=0)).text == "Hi"
    assert desk.exchanges == 2


def test_another_403_is_final(colour: AnyColour) -> None:
    """A 403 for another reason is raised, and the token is kept."""
    desk = Desk()
    desk.refuse, desk.refusal = {"token-1"}, refusing(403, "not your project")
    with pytest.raises(PermissionDeniedError):
        colour.create(client_of(colour, desk))
    assert desk.exchanges == 1


LIVES: list[tuple[object, float]] = [
    ("3600", 3600.0),
    (3600.5, 3600.5),
    (..., USUAL_LIFE),
    (None, USUAL_LIFE),
    (0, DOUBTFUL_LIFE),
    (-5, DOUBTFUL_LIFE),
    ("soon", DOUBTFUL_LIFE),
    (True, DOUBTFUL_LIFE),
    ([3600], DOUBTFUL_LIFE),
    (1e300, LONGEST_LIFE),
    (10**400, LONGEST_LIFE),
    (60, 60.0),
    (" 3600 ", 3600.0),
    ("1e3", 1000.0),
    ("-5", DOUBTFUL_LIFE),
    ("0", DOUBTFUL_LIFE),
    ("", DOUBTFUL_LIFE),
    (False, DOUBTFUL_LIFE),
    ({"seconds": 60}, DOUBTFUL_LIFE),
    (math.nan, DOUBTFUL_LIFE),
    ("NaN", DOUBTFUL_LIFE),
    (-math.inf, DOUBTFUL_LIFE),
    (math.inf, LONGEST_LIFE),
    ("9" * 5000, LONGEST_LIFE),
    (0.5, 0.5),
]


@pytest.mark.parametrize(("said", "life"), LIVES, ids=[str(row[0])[:20] for row in LIVES])
def test_expires_in(colour: AnyColour, said: object, life: float) -> None:
    """Whatever `expires_in` is, the token works, for as long as makes sense."""
    client = client_of(colour, Desk(expires_in=said))
    assert colour.create(client).text == "Hi"
    left = life - min(30, life / 10)
    assert client.current_token_info().expires_in == pytest.approx(left)


BAD_DESKS: list[tuple[str, MemoryReply, type[APIError]]] = [
    ("rubbish", MemoryReply(pieces=[b"<html>"]), ResponseDecodeError),
    ("a list", MemoryReply.json([1]), ResponseDecodeError),
    ("no token", MemoryReply.json({"expires_in": 1}), ResponseDecodeError),
    ("a null token", MemoryReply.json({"access_token": None}), ResponseDecodeError),
    ("a token with a line end", MemoryReply.json({"access_token": "a\r\nb"}), ResponseDecodeError),
    ("empty", MemoryReply(pieces=[]), ResponseDecodeError),
    ("refused", refusing(401, "bad pair"), AuthenticationError),
    (
        "a redirect",
        MemoryReply(status=302, headers={"location": "https://evil.test"}),
        APIStatusError,
    ),
]


@pytest.mark.parametrize(("name", "reply", "error"), BAD_DESKS, ids=[row[0] for row in BAD_DESKS])
def test_bad_desks(colour: AnyColour, name: str, reply: MemoryReply, error: type[APIError]) -> None:
    """A token endpoint that gives no token is a clear error that names the endpoint."""
    desk = Desk()
    desk.desk = lambda: reply
    with pytest.raises(error, match=r"iam\.test") as caught:
        colour.create(client_of(colour, desk, max_retries=0))
    assert desk.sent == []
    assert desk.exchanges == 1
    shown = repr(vars(caught.value)) + str(caught.value)
    assert PAIR["secret"] not in shown


def test_the_desk_is_tried_again(colour: AnyColour) -> None:
    """Failures of the token endpoint that may pass are tried again."""
    desk = Desk()
    answers = iter([refusing(503), refusing(500), desk.token()])
    desk.desk = lambda: next(answers)
    assert colour.create(client_of(colour, desk, retry_delay=0)).text == "Hi"
    assert desk.exchanges == 3


def test_attempts_do_not_multiply(colour: AnyColour) -> None:
    """A token endpoint that stays down is asked as often as any server, and no more."""
    desk = Desk()
    desk.desk = lambda: refusing(503)
    with pytest.raises(InternalServerError) as caught:
        colour.create(client_of(colour, desk, retry_delay=0, max_retries=2))
    assert desk.exchanges == 3
    assert len(caught.value.attempts) == 2


def test_an_echoed_secret_is_masked(colour: AnyColour) -> None:
    """A token endpoint that echoes the secret does not make us show it."""
    desk = Desk()
    desk.desk = lambda: refusing(400, f"bad secret {PAIR['secret']}", **PAIR)
    with pytest.raises(APIStatusError) as caught:
        colour.create(client_of(colour, desk))
    response = caught.value.response
    assert response is not None
    for text in (str(caught.value), repr(vars(caught.value)), repr(response.content)):
        assert PAIR["secret"] not in text


@pytest.mark.parametrize(
    ("argument", "options"),
    [
        ("key_id", {"key_id": ""}),
        ("secret", {"secret": "a\nb"}),
        ("token_url", {"token_url": "iam"}),
        ("secret", {"secret": None}),
    ],
)
def test_bad_pairs(argument: str, options: dict[str, Any]) -> None:
    """What cannot be a key pair is refused at once, and not shown."""
    with pytest.raises(ConfigurationError) as caught:
        KeyPair(**{**PAIR, **options})
    assert caught.value.argument == argument
    assert "a\nb" not in str(caught.value)


def test_neither_shown_nor_pickled() -> None:
    """Neither key id nor secret is in the repr, and a pickle is refused."""
    pair = KeyPair(**PAIR)
    assert "planted" not in repr(pair)
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(pair)


def wait_for(colour: AnyColour, condition: Callable[[], bool]) -> None:
    """Let work beside the callers go on until a condition holds."""
    for _ in range(400):
        if condition():
            return
        colour.settle()
        threading.Event().wait(0.005)
    raise AssertionError("it did not happen")


@pytest.fixture
def server() -> Iterator[DemoServer]:
    """Give a server that exchanges the pair, slowly enough for callers to meet."""
    with DemoServer(pace=0, key_id=PAIR["key_id"], secret=PAIR["secret"]) as server:
        yield server


def pair_for(server: DemoServer, clock: Clock) -> KeyPair:
    """Return the pair that the server knows."""
    return KeyPair(**PAIR, token_url=server.token_url, clock=clock)


def spoilt(server: DemoServer, clock: Clock) -> Iterator[int]:
    """Make the token useless in each way; give how many exchanges there must have been after."""
    yield 1  # cold
    clock.now += 3600
    yield 2  # at expiry
    server.revoke_tokens()
    yield 3  # after a revoked token


def ask_from_threads(client: Client, count: int) -> list[str]:
    """Ask from many threads at once."""
    barrier = threading.Barrier(count)

    def ask(_: int) -> str:
        barrier.wait()
        return client.chat.completions.create(messages=MESSAGES).text

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(ask, range(count)))


@pytest.mark.loopback
def test_fifty_threads_one_exchange(server: DemoServer) -> None:
    """Fifty threads, cold, at expiry and after a revoked token, cause one exchange each time."""
    clock = Clock()
    pair = pair_for(server, clock)
    with Client(base_url=server.base_url, model="demo", auth=pair) as client:
        for exchanges in spoilt(server, clock):
            assert ask_from_threads(client, 50) == ["Hi"] * 50
            assert server.exchanges == exchanges


@pytest.mark.loopback
def test_five_hundred_tasks_one_exchange(server: DemoServer) -> None:
    """Five hundred tasks, cold, at expiry and after a revoked token: one exchange each time.

    It takes seconds because 1,500 requests do.
    """
    clock = Clock()
    pair = pair_for(server, clock)

    async def main() -> None:
        async with AsyncClient(base_url=server.base_url, model="demo", auth=pair) as client:
            for exchanges in spoilt(server, clock):
                asked = [client.chat.completions.create(messages=MESSAGES) for _ in range(500)]
                assert {answer.text for answer in await asyncio.gather(*asked)} == {"Hi"}
                assert server.exchanges == exchanges

    asyncio.run(main())


@pytest.mark.loopback
def test_both_colours_share_one_exchange(server: DemoServer) -> None:
    """A client of each colour with one key pair: one exchange, cold, at expiry and revoked."""
    clock = Clock()
    pair = pair_for(server, clock)

    async def main() -> None:
        client = AsyncClient(base_url=server.base_url, model="demo", auth=pair)
        other = Client(base_url=server.base_url, model="demo", auth=pair)
        async with client:
            with other:
                for exchanges in spoilt(server, clock):
                    asked = [client.chat.completions.create(messages=MESSAGES) for _ in range(20)]
                    threads = asyncio.to_thread(ask_from_threads, other, 20)
                    answers, texts = await asyncio.gather(asyncio.gather(*asked), threads)
                    assert [*texts, *(answer.text for answer in answers)] == ["Hi"] * 40
                    assert server.exchanges == exchanges

    asyncio.run(main())


class SlowDesk(Desk):
    """A desk whose tokens take a while."""

    def __init__(self, seconds: float) -> None:
        """Begin with no token given out."""
        super().__init__()
        self.seconds = seconds

    def token(self) -> MemoryReply:
        """Give the next token after a while."""
        quick = super().token()
        return MemoryReply(pieces=quick.pieces, pause_before=self.seconds)


def slow_client(desk: Desk, pair: KeyPair) -> AsyncClient:
    """Return an asynchronous client whose exchange takes a while."""
    from evoclient.transports.memory import AsyncMemoryTransport

    return AsyncClient(transport=AsyncMemoryTransport(desk), base_url=API, model="m", auth=pair)


def test_cancelling_the_first_caller_harms_nobody() -> None:
    """The caller that began the exchange is cancelled; the others get its token."""
    desk = SlowDesk(0.2)
    client = slow_client(desk, KeyPair(**PAIR, token_url=TOKEN_URL))

    async def main() -> list[str]:
        first = asyncio.create_task(client.chat.completions.create(messages=MESSAGES))
        await asyncio.sleep(0.05)
        others = [
            asyncio.create_task(client.chat.completions.create(messages=MESSAGES)) for _ in range(5)
        ]
        await asyncio.sleep(0.05)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        return [answer.text for answer in await asyncio.gather(*others)]

    assert asyncio.run(main()) == ["Hi"] * 5
    assert desk.exchanges == 1


def test_a_loop_that_ends_in_the_middle_leaves_nobody_hanging() -> None:
    """The loop of the first caller stops in the middle of the exchange; a thread goes on alone."""
    desk, pair = SlowDesk(5.0), KeyPair(**PAIR, token_url=TOKEN_URL)
    loop = asyncio.new_event_loop()
    task = loop.create_task(slow_client(desk, pair).chat.completions.create(messages=MESSAGES))
    loop.run_until_complete(asyncio.sleep(0.05))
    assert desk.exchanges == 1
    quick = Desk()
    client = Client(transport=MemoryTransport(quick), base_url=API, model="m", auth=pair)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.chat.completions.create, messages=MESSAGES)
        assert asked.result(timeout=3).text == "Hi"
    task.cancel()
    for left in asyncio.all_tasks(loop):
        left.cancel()
    loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop), return_exceptions=True))
    loop.close()
