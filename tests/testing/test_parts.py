"""The small parts of the server that need no socket: ledger, tokens, vectors, catalogue."""

from __future__ import annotations

import base64
import math
import struct
import threading
from typing import Any

import pytest

from evoclient.testing.answers import answer
from evoclient.testing.catalog import Generations, credits_record, key_record
from evoclient.testing.ledger import Ledger, RecordedRequest
from evoclient.testing.question import BadRequest, read_completion
from evoclient.testing.token_desk import Refused, TokenDesk
from evoclient.testing.vectors import embeddings


def test_a_record_hides_secrets_in_its_repr() -> None:
    """Headers and body are kept as they came and never shown."""
    record = RecordedRequest(
        "POST", "/v1/x", {"Authorization": "Bearer s3cret"}, b'{"a": "s3cret"}'
    )
    assert "s3cret" not in repr(record)
    assert record.header("authorization") == "Bearer s3cret"
    assert record.header("missing", "none") == "none"
    assert record.json == {"a": "s3cret"}
    assert RecordedRequest("GET", "/", {}).json is None


def test_the_ledger_wakes_those_who_wait() -> None:
    """A change made by another thread ends the wait; without one the wait ends by itself."""
    ledger = Ledger()
    threading.Timer(0.01, ledger.add, [{"cancelled": 1}]).start()
    assert ledger.wait_until(lambda: ledger.count("cancelled") == 1, 5)
    assert not ledger.wait_until(lambda: ledger.count("cancelled") == 2, 0)


def desk(**options: Any) -> TokenDesk:
    """A token desk with these settings."""
    usual: dict[str, Any] = {"api_key": None, "key_id": None, "secret": None, "expires_in": 60}
    return TokenDesk(**{**usual, **options})


def test_an_open_desk_lets_all_pass() -> None:
    """Without key and pair nothing is checked, and any pair is exchanged."""
    desk().check("", "")
    assert desk().exchange({"keyId": "a", "secret": "b"})["token_type"] == "Bearer"


def test_tokens_open_the_door() -> None:
    """A token that was issued is accepted until it expires or is revoked."""
    made = desk(key_id="id", secret="s")
    token = made.exchange({"keyId": "id", "secret": "s"})["access_token"]
    made.check(f"bearer {token}", "")
    made.revoke()
    with pytest.raises(Refused, match="Incorrect"):
        made.check(f"Bearer {token}", "")
    made.expires_in = 0
    stale = made.exchange({"keyId": "id", "secret": "s"})["access_token"]
    with pytest.raises(Refused, match="jwt is expired"):
        made.check(f"Bearer {stale}", "")


@pytest.mark.parametrize("body", [None, {}, {"keyId": "id", "secret": "x"}, {"keyId": "ид"}])
def test_a_wrong_pair_gets_no_token(body: Any) -> None:
    """Another pair, a broken body, or a desk with a key alone: no exchange."""
    with pytest.raises(Refused):
        desk(key_id="id", secret="s").exchange(body)
    with pytest.raises(Refused):
        desk(api_key="k").exchange(body)


def test_keys_are_checked() -> None:
    """The key is accepted in either header, nothing else is."""
    made = desk(api_key="k")
    made.check("Bearer k", "")
    made.check("", "k")
    for authorization in ("", "Bearer x", "Basic k", "Bearer"):
        with pytest.raises(Refused):
            made.check(authorization, "")


def vectors(given: Any, **fields: Any) -> list[Any]:
    """The embeddings of an input."""
    made = embeddings({"model": "m", "input": given, **fields})
    return [item["embedding"] for item in made["data"]]


def test_vectors_have_length_one() -> None:
    """Vectors are deterministic, of length 1, and of the wanted size."""
    [first], [again] = vectors("hello world"), vectors(["hello world"])
    assert first == again
    assert len(first) == 256
    assert math.isclose(math.hypot(*first), 1, rel_tol=1e-5)
    assert len(vectors("hello", dimensions=3)[0]) == 3
    assert math.isclose(math.hypot(*vectors("!?")[0]), 1, rel_tol=1e-5)


def test_texts_with_common_words_are_near() -> None:
    """Shared words bring vectors together."""
    cat, dog, tax = vectors(["the cat sleeps", "the dog sleeps", "annual tax return"])
    near = sum(a * b for a, b in zip(cat, dog, strict=True))
    assert near > sum(a * b for a, b in zip(cat, tax, strict=True))


def test_base64_holds_the_same_numbers() -> None:
    """Both encodings agree to the last bit."""
    [packed] = vectors("hello", dimensions=5, encoding_format="base64")
    assert list(struct.unpack("<5f", base64.b64decode(packed))) == vectors("hello", dimensions=5)[0]


def test_tokens_are_an_input() -> None:
    """A list of numbers is one input, a list of lists several."""
    assert len(vectors([1, 2, 3])) == 1
    assert len(vectors([[1, 2], [3]])) == 2


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (None, "model"),
        ({"model": "m"}, "input"),
        ({"model": "m", "input": []}, "input"),
        ({"model": "m", "input": ["a", ""]}, "input"),
        ({"model": "m", "input": "a", "dimensions": -1}, "dimensions"),
        ({"model": "m", "input": "a", "dimensions": "7"}, "dimensions"),
    ],
)
def test_wrong_embedding_requests(body: Any, param: str) -> None:
    """The wrong field is named."""
    with pytest.raises(BadRequest) as caught:
        embeddings(body)
    assert caught.value.param == param


def test_generations_are_remembered() -> None:
    """The last thousand generations are known, cancelled until they are finished, and paid for."""
    generations = Generations()
    question = read_completion({"model": "m", "prompt": "count to 3"})
    for number in range(1001):
        generations.add(answer(question, id=f"g{number}"), streamed=True)
    assert generations.find("g0") is None
    generations.finished("g0")
    generations.finished("g1")
    first, second = generations.find("g1"), generations.find("g2")
    assert first is not None
    assert second is not None
    assert (first["data"]["cancelled"], second["data"]["cancelled"]) == (False, True)
    assert generations.spent > 0
    spent = credits_record(generations.spent)["data"]["total_usage"]
    assert key_record(generations.spent)["data"]["limit_remaining"] == pytest.approx(10 - spent)
