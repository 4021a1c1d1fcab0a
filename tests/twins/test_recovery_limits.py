"""When a broken stream is recovered from, by whom, how often, and who hears of it."""

from __future__ import annotations

import json
from time import monotonic
from typing import Any

import pytest

from evoclient.errors.tree import (
    APIError,
    APITimeoutError,
    ModelNotFoundError,
    StreamDecodeError,
    StreamInterruptedError,
    StreamProviderError,
)
from evoclient.ground import ConfigurationError
from evoclient.retry import Retry, RetryState
from evoclient.streaming.events import ErrorEvent, RestartEvent, RetryEvent
from evoclient.transports.memory import MemoryReply
from evoclient.wire import Request, Timeouts
from tests.colours import Colour, sampled
from tests.twins.recovering import (
    ENGLISH,
    READERS,
    applied,
    asked_of,
    broken,
    in_pieces,
    prefilled,
    read,
    reply,
    streaming,
)
from tests.twins.scripts import chunk, cut, failing, refusing

AnyColour = Colour[Any, Any]

PIECES = in_pieces(ENGLISH, 200)

LONG_PAUSE = 20.0


def models_of(requests: list[Request]) -> list[str]:
    """Return the models that were asked."""
    return [asked_of(request)["model"] for request in requests]


@pytest.mark.parametrize("provider", ["vllm", "generic"])
def test_a_fallback_model_takes_over_at_every_cut(colour: AnyColour, provider: str) -> None:
    """The next model of a list goes on wherever the first one broke."""
    requests: list[Request] = []

    def answer(request: Request) -> MemoryReply:
        requests.append(request)
        if asked_of(request)["model"] == "m":
            return broken(PIECES[:after])
        came = prefilled(request)
        if came is None:
            return reply(PIECES)
        start = len(came) - (0 if provider == "vllm" else 20)
        return reply(in_pieces(ENGLISH[start:], 40))

    opened = streaming(colour, answer, provider=provider)
    for after in sampled(colour, range(1, 200)):
        stream = opened(recover=["other"])
        assert (after, read(colour, stream, READERS[after % 3])) == (after, ENGLISH)
        assert models_of(requests[-2:]) == ["m", "other"]
        assert (stream.completion.text, stream.outcome) == (ENGLISH, "complete")


#: How a second model fails, each with the number of retries that the third one then is.
SECONDS = {
    "breaks": broken([" three"]),
    "breaks before a chunk": broken([]),
    "is overloaded": refusing(503),
    "is not known": refusing(404, "no such model", code="model_not_found"),
    "cannot be reached": failing(),
}


@pytest.mark.parametrize("name", SECONDS)
def test_a_third_model(colour: AnyColour, name: str) -> None:
    """Where the second model fails as well, in whatever way, the third one takes over."""
    text = "One two three" if name == "breaks" else "One two"
    rest = " four" if name == "breaks" else " three four"
    transport = colour.memory([broken(["One", " two"]), SECONDS[name], reply([rest])])
    opened = streaming(colour, None, transport=transport, provider="vllm", max_retries=2)
    stream = opened(recover=("second", "third"))
    assert "".join(colour.text(stream)) == "One two three four"
    assert models_of(transport.requests) == ["m", "second", "third"]
    assert prefilled(transport.requests[2]) == text
    assert stream.metrics.attempts == 3


def test_a_list_is_used_up(colour: AnyColour) -> None:
    """With no model left, the error of the last one has all text and the earlier errors."""
    script = [broken(["One"]), broken([" two"]), broken([" three"])]
    opened = streaming(colour, script, provider="vllm", max_retries=9)
    got: list[str] = []
    with pytest.raises(StreamInterruptedError) as caught:
        colour.text(opened(recover=["second", "third"], on_text=got.append))
    assert "".join(got) == "One two three"
    assert caught.value.partial is not None
    assert caught.value.partial.text == "One two three"
    assert len(caught.value.attempts) == 2


def test_no_model_can_be_had(colour: AnyColour) -> None:
    """Where the last model refuses, its error is raised, with what the first one gave."""
    gone = refusing(404, "no such model", code="model_not_found")
    opened = streaming(colour, [broken(["One"]), gone, gone], provider="vllm", max_retries=9)
    stream = opened(recover=["second", "third"])
    with pytest.raises(ModelNotFoundError) as caught:
        colour.text(stream)
    assert caught.value.partial is not None
    assert caught.value.partial.text == "One"
    assert len(caught.value.attempts) == 2
    assert stream.outcome == "truncated"


def error_event(**error: Any) -> str:
    """Return an error inside a stream."""
    return f"data: {json.dumps({'error': error})}\n\n"


def ending(*events: Any, **fields: Any) -> MemoryReply:
    """Return a stream of one piece of text and something else."""
    return MemoryReply.stream(chunk("One two"), *events, done=False, **fields)


#: Ends of a stream that are recovered from, and limits that they need.
RECOVERABLE: dict[str, tuple[MemoryReply, dict[str, Any]]] = {
    "end": (ending(), {}),
    "reset": (cut("One two"), {}),
    "overloaded": (ending(error_event(message="busy", code=503)), {}),
    "kind": (ending(error_event(message="busy", type="overloaded_error")), {}),
    "no code": (ending(error_event(message="gone")), {}),
    "idle": (ending(chunk("x"), pauses=(0.0, LONG_PAUSE)), {"timeout": Timeouts(idle=0.05)}),
}


@pytest.mark.parametrize("name", RECOVERABLE)
@pytest.mark.parametrize("recover", ["restart", "continue", ["other"]], ids=str)
def test_what_is_recovered_from(colour: AnyColour, name: str, recover: Any) -> None:
    """Cuts, silence, and provider errors that may pass."""
    first, options = RECOVERABLE[name]
    opened = streaming(colour, [first, reply(["One two", " three"])])
    stream = opened(recover=recover, **options)
    assert "".join(colour.text(stream)) == "One two three"
    assert stream.outcome == "complete"


FINAL: dict[str, tuple[MemoryReply, dict[str, Any], type[APIError]]] = {
    "total": (
        ending(chunk("x"), pauses=(0.0, LONG_PAUSE)),
        {"timeout": Timeouts(total=0.05)},
        APITimeoutError,
    ),
    "rubbish": (ending("data: {rubbish}\n\n", chunk(" x")), {}, StreamDecodeError),
    "refused": (ending(error_event(message="no", code=400)), {}, StreamProviderError),
    "quota": (
        ending(error_event(message="no", type="insufficient_quota")),
        {},
        StreamProviderError,
    ),
}


@pytest.mark.parametrize("name", FINAL)
@pytest.mark.parametrize("recover", ["restart", "continue", ["other"]], ids=str)
def test_what_is_not_recovered_from(colour: AnyColour, name: str, recover: Any) -> None:
    """The limit of the whole call, rubbish, and errors that stay."""
    first, options, kind = FINAL[name]
    transport = colour.memory([first, reply(["One two", " three"])])
    stream = streaming(colour, None, transport=transport)(recover=recover, **options)
    with pytest.raises(kind) as caught:
        colour.text(stream)
    assert len(transport.requests) == 1
    assert caught.value.partial is not None
    assert caught.value.partial.text == "One two"


def test_nothing_is_recovered_unless_asked(colour: AnyColour) -> None:
    """By default, a break after the first chunk is the error, with the partial answer."""
    transport = colour.memory([broken(["One"])])
    with pytest.raises(StreamInterruptedError) as caught:
        colour.text(streaming(colour, None, transport=transport)())
    assert len(transport.requests) == 1
    assert caught.value.partial is not None
    assert caught.value.partial.text == "One"


@pytest.mark.parametrize("recover", ["restart", "continue"])
@pytest.mark.parametrize("reader", READERS)
def test_attempts_are_limited(colour: AnyColour, recover: str, reader: str) -> None:
    """`max_retries` bounds recoveries as well; the error has the text that was handed out."""
    transport = colour.memory([broken(["One two ", "three"])] + [broken(["One"])] * 9)
    opened = streaming(colour, None, transport=transport, max_retries=2)
    got: list[str] = []
    with pytest.raises(StreamInterruptedError, match="finish reason") as caught:
        read(colour, opened(recover=recover, on_text=got.append), reader)
    assert len(transport.requests) == 3
    assert len(caught.value.attempts) == 2
    assert "".join(got) == "One two three"
    assert caught.value.partial is not None
    assert caught.value.partial.text == "One two three"


def test_retries_share_the_limit(colour: AnyColour) -> None:
    """Failures before the first chunk and breaks after it are counted together."""
    transport = colour.memory([refusing(503), broken(["One"]), failing(), reply(["One"])])
    opened = streaming(colour, None, transport=transport, max_retries=2)
    with pytest.raises(APIError, match="refused") as caught:
        colour.text(opened(recover="restart"))
    assert len(transport.requests) == 3
    assert len(caught.value.attempts) == 2
    assert caught.value.partial is not None
    assert caught.value.partial.text == "One"


def test_no_attempt_after_the_deadline(colour: AnyColour) -> None:
    """`Retry.deadline` holds for recoveries, and so does the total of the call."""
    for options in ({"retry": Retry(base=5, deadline=1)}, {"timeout": Timeouts(total=1)}):
        transport = colour.memory([broken(["One"]), reply(["One two"])])
        given = {"retry": Retry(base=5), **options}
        client = colour.client(transport=transport, model="m", **given)
        began = monotonic()
        with pytest.raises(StreamInterruptedError):
            colour.text(colour.stream(client, recover="restart"))
        assert monotonic() - began < 1
        assert len(transport.requests) == 1


def test_the_allowance_of_the_client(colour: AnyColour) -> None:
    """A client whose calls fail again and again stops recovering; a good end gives back."""
    transport = colour.memory(lambda request: broken(["One"]))
    opened = streaming(colour, None, transport=transport, max_retries=1)
    for _ in range(30):
        with pytest.raises(StreamInterruptedError):
            colour.text(opened(recover="restart"))
    assert len(transport.requests) == 30 + 20
    good = [broken(["One"]), reply(["One", " two"])] * 40
    opened = streaming(colour, good, max_retries=1)
    for _ in range(40):
        assert "".join(colour.text(opened(recover="restart"))) == "One two"


def test_the_partial_of_a_repetition_that_broke(colour: AnyColour) -> None:
    """An answer that broke while it was repeated leaves what the reader has, of each choice."""

    def piece(index: int, text: str) -> dict[str, Any]:
        return {"choices": [{"index": index, "delta": {"content": text}}]}

    first = MemoryReply.stream(piece(0, "One two"), piece(1, "Uno due"), done=False)
    second = MemoryReply.stream(piece(0, "One two three"), piece(1, "Uno"), done=False)
    opened = streaming(colour, [first, second], max_retries=1)
    with pytest.raises(StreamInterruptedError) as caught:
        colour.text(opened(recover="restart", n=2))
    assert caught.value.partial is not None
    texts = {each.index: each.message.content for each in caught.value.partial.choices}
    assert texts == {0: "One two three", 1: "Uno due"}


def test_held_text_is_let_out_before_the_error(colour: AnyColour) -> None:
    """What may begin a stop sequence is handed out where recovery fails, and is in `partial`."""
    for second, recover in (
        (broken([]), "continue"),
        (refusing(400), "continue"),
        (refusing(400), "restart"),
    ):
        for reader in READERS:
            script = [broken(["One two ##"]), second]
            opened = streaming(colour, script, max_retries=1, provider="vllm")
            got: list[str] = []
            stream = opened(recover=recover, stop=["###"], on_text=got.append)
            with pytest.raises(APIError) as caught:
                read(colour, stream, reader)
            assert caught.value.partial is not None
            assert ("".join(got), caught.value.partial.text) == ("One two ##", "One two ##")
            assert stream.completion.text == "One two ##"


def test_who_hears_of_it(colour: AnyColour) -> None:
    """Events, callbacks, hooks and metrics tell each retry once, in order."""
    hooked: list[RetryState] = []
    told: list[RetryState] = []
    errors: list[Exception] = []
    script = [failing(), broken(["One "]), failing(), reply(["One ", "two"])]
    client = colour.client(
        transport=colour.memory(script),
        model="m",
        retry=Retry(base=0, attempts=9, hooks=[hooked.append]),
    )
    stream = colour.stream(client, recover="restart", on_retry=told.append, on_error=errors.append)
    events = colour.events(stream)
    assert [event.type for event in events] == [
        "retry",
        "content",
        "retry",
        "restart",
        "retry",
        "content",
        "finish",
    ]
    retries = [event for event in events if isinstance(event, RetryEvent)]
    assert [event.attempt for event in retries] == [1, 2, 3]
    assert [state.attempt for state in told] == [1, 2, 3] == [state.attempt for state in hooked]
    assert [event.error for event in retries] == [state.error for state in told]
    assert [event.keep for event in events if isinstance(event, RestartEvent)] == [4]
    assert (stream.metrics.attempts, len(stream.metrics.retries)) == (4, 3)
    assert not errors
    assert applied(events) == "One two"


def test_an_error_is_told_last(colour: AnyColour) -> None:
    """Where recovery fails, the error is the last event, and the callbacks hear of it once."""
    errors: list[Exception] = []
    opened = streaming(colour, [broken(["One"]), refusing(400)])
    stream = opened(recover="restart", on_error=errors.append)
    events: list[object] = []
    each = stream.events()

    def read_all() -> None:
        while True:
            events.append(next(each) if colour.name == "sync" else colour.run(anext(each)))

    with pytest.raises(APIError) as caught:
        read_all()
    last = events[-1]
    assert isinstance(last, ErrorEvent)
    assert last.error is caught.value
    assert errors == [caught.value]


@pytest.mark.parametrize("recover", ["never", "", [], [""], [1], None, True, 3, {"a": 1}])
def test_what_recover_may_not_be(colour: AnyColour, recover: Any) -> None:
    """A wrong word is refused before anything is sent."""
    transport = colour.memory()
    with pytest.raises(ConfigurationError) as caught:
        streaming(colour, None, transport=transport)(recover=recover)
    assert caught.value.argument == "recover"
    assert not transport.requests


@pytest.mark.parametrize("recover", ["restart", "continue", ["other"]], ids=str)
def test_recovery_needs_what_came(colour: AnyColour, recover: Any) -> None:
    """A stream that keeps nothing cannot be recovered, and the call says so."""
    with pytest.raises(ConfigurationError) as caught:
        streaming(colour, [])(recover=recover, accumulate=False)
    assert caught.value.argument == "recover"
    stream = streaming(colour, [reply(["One"])])(recover="raise", accumulate=False)
    assert colour.text(stream) == ["One"]


def test_a_callback_that_showed_text_cannot_take_it_back(colour: AnyColour) -> None:
    """With a callback for text, an event reader too gets an error for an answer that departs."""
    shown: list[str] = []
    second = MemoryReply.text("Another answer")
    transport = colour.memory([broken(["One ", "two "]), second])
    stream = streaming(colour, None, transport=transport)(recover="restart", on_text=shown.append)
    with pytest.raises(StreamInterruptedError) as caught:
        colour.events(stream)
    assert "".join(shown) == "One two " == caught.value.partial_text
    assert caught.value.departed is not None
    assert caught.value.departed.text == "Another"  # as far as it had come
