"""Which credential is sent, and where it may be sent."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.auth.base import NoAuth
from evoclient.auth.bearer import Bearer
from evoclient.auth.key_pair import KeyPair
from evoclient.credentials import Credentials, auth_for, has_credentials
from evoclient.ground import ConfigurationError
from evoclient.providers.presets import PRESETS, TOKEN_URL
from evoclient.sync.client import Client
from evoclient.transports.memory import MemoryReply, MemoryTransport
from evoclient.urls import normal_base
from evoclient.wire import Request
from tests.twins.scripts import whole

EVOLUTION = PRESETS["evolution"]
BASE = normal_base(str(EVOLUTION.base_url))
PAIR = {"EVOLUTION_KEY_ID": "planted-id-01", "EVOLUTION_SECRET": "planted-secret-01"}
KEY = {"EVOLUTION_API_KEY": "planted-key-01"}
OWN = {"key_id": "given-id-01", "secret": "given-secret-01"}
FOREIGN = "https://evil.test/token"


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set environment variables from a mapping."""

    def set_all(variables: dict[str, str]) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_all


def sent(**options: Any) -> dict[str, str]:
    """Make a call; return where a pair or key went: address to what was sent there."""
    seen = {}

    def script(request: Request) -> MemoryReply:
        if request.url.endswith("/token"):
            seen[request.url] = (request.body or b"").decode()
            return MemoryReply.json({"access_token": "fresh-token", "expires_in": 3600})
        seen[request.url] = request.headers.get("authorization") or ""
        return whole()

    options = {"provider": "evolution", "transport": MemoryTransport(script), **options}
    with Client(**options) as client:
        client.chat.completions.create(messages=[{"role": "user", "content": "Hi"}])
    return seen


CHAT = f"{BASE}/chat/completions"
FROM_ENV = '{"keyId":"planted-id-01","secret":"planted-secret-01"}'
GIVEN = '{"keyId":"given-id-01","secret":"given-secret-01"}'

# Environment, arguments, and what went where.
SENT: dict[str, tuple[dict[str, str], dict[str, Any], dict[str, str]]] = {
    "a pair from the environment": (
        PAIR, {}, {TOKEN_URL: FROM_ENV, CHAT: "Bearer fresh-token"},
    ),
    "a key from the environment": (KEY, {}, {CHAT: "Bearer planted-key-01"}),
    "a pair before a key": (
        {**KEY, **PAIR}, {}, {TOKEN_URL: FROM_ENV, CHAT: "Bearer fresh-token"},
    ),
    "half a pair leaves the key": (
        {**KEY, "EVOLUTION_SECRET": "lonely"}, {}, {CHAT: "Bearer planted-key-01"},
    ),
    "a given key before a pair in the environment": (
        PAIR, {"api_key": "given-key-01"}, {CHAT: "Bearer given-key-01"},
    ),
    "a given pair before all in the environment": (
        {**KEY, **PAIR}, OWN, {TOKEN_URL: GIVEN, CHAT: "Bearer fresh-token"},
    ),
    "no credential, as asked": ({**KEY, **PAIR}, {"auth": "none"}, {CHAT: ""}),
    "the token URL of the environment": (
        {**PAIR, "EVOLUTION_TOKEN_URL": "https://own.test/token"},
        {},
        {"https://own.test/token": FROM_ENV, CHAT: "Bearer fresh-token"},
    ),
    "the token URL of the environment, named again": (
        {**PAIR, "EVOLUTION_TOKEN_URL": "https://own.test/token"},
        {"token_url": "https://OWN.test/token"},
        {"https://own.test/token": FROM_ENV, CHAT: "Bearer fresh-token"},
    ),
    "the usual token URL, named": (
        PAIR, {"token_url": TOKEN_URL}, {TOKEN_URL: FROM_ENV, CHAT: "Bearer fresh-token"},
    ),
    "a given pair, and any token URL": (
        PAIR, {**OWN, "token_url": FOREIGN}, {FOREIGN: GIVEN, CHAT: "Bearer fresh-token"},
    ),
    "a given pair, and any base URL": (
        PAIR,
        {**OWN, "base_url": "https://evil.test/v1"},
        {TOKEN_URL: GIVEN, "https://evil.test/v1/chat/completions": "Bearer fresh-token"},
    ),
    "the base URL of the environment": (
        {**PAIR, "EVOLUTION_BASE_URL": "https://own.test/v1"},
        {},
        {TOKEN_URL: FROM_ENV, "https://own.test/v1/chat/completions": "Bearer fresh-token"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SENT)
def test_what_is_sent_where(env: Any, case: str) -> None:
    """What is given wins over the environment, a pair over a key, and each goes where it may."""
    variables, options, expected = SENT[case]
    env(variables)
    assert sent(**options) == expected


REFUSED: dict[str, tuple[dict[str, str], dict[str, Any], str]] = {
    "a foreign token URL": (PAIR, {"token_url": FOREIGN}, "EVOLUTION_KEY_ID and EVOLUTION_SECRET"),
    "a foreign base URL": (PAIR, {"base_url": "https://evil.test/v1"}, "https://evil.test/v1"),
    "a key, and a foreign base URL": (
        KEY, {"base_url": "https://evil.test/v1"}, "EVOLUTION_API_KEY",
    ),
    "a key, and a foreign token URL": (KEY, {"token_url": FOREIGN}, "evil.test"),
    "the usual token URL where the environment has another": (
        {**PAIR, "EVOLUTION_TOKEN_URL": "https://own.test/token"},
        {"token_url": TOKEN_URL},
        "iam.api.cloud.ru",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_never_sent(env: Any, case: str) -> None:
    """A credential from the environment goes to no address that the environment does not name."""
    variables, options, words = REFUSED[case]
    env(variables)
    with pytest.raises(ConfigurationError, match="only sent to the preset's own address") as caught:
        sent(**options)
    assert words in str(caught.value)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "missing"),
    [("EVOLUTION_KEY_ID", "EVOLUTION_SECRET"), ("EVOLUTION_SECRET", "EVOLUTION_KEY_ID")],
)
def test_half_a_pair_in_the_environment(env: Any, name: str, missing: str) -> None:
    """The error names the variable that is set and the one that is not."""
    env({name: "planted-half", missing: "  "})
    assert not has_credentials(EVOLUTION)
    with pytest.raises(ConfigurationError, match=f"{name} is set, but {missing} is not") as caught:
        sent()
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(("name", "missing"), [("key_id", "secret"), ("secret", "key_id")])
def test_half_a_pair_given(env: Any, name: str, missing: str) -> None:
    """The other half is not taken from the environment, where another pair may be."""
    env(PAIR)
    with pytest.raises(ConfigurationError, match=f"{missing} is missing") as caught:
        sent(**{name: "given-half"})
    assert caught.value.argument == missing


@pytest.mark.parametrize(
    "given",
    [
        {"api_key": "given-key", **OWN},
        {"api_key": "given-key", "auth": "none"},
        {"auth": NoAuth(), **OWN},
    ],
)
def test_two_ways_at_once(given: dict[str, Any]) -> None:
    """Nobody guesses which of two credentials is meant, and none is shown."""
    with pytest.raises(ConfigurationError, match="not both") as caught:
        Credentials(**given).check()
    assert "given" not in str(caught.value)


@pytest.mark.parametrize("name", ["EVOLUTION_KEY_ID", "EVOLUTION_SECRET"])
def test_bad_pairs_in_the_environment(env: Any, name: str) -> None:
    """A pair that cannot be right is refused by the name of its variable, and not shown."""
    env({**PAIR, name: "planted\nhalf"})
    with pytest.raises(ConfigurationError, match=f"variable {name}: ") as caught:
        sent()
    assert caught.value.argument == name
    assert "planted" not in str(caught.value)


def test_bad_token_urls(env: Any) -> None:
    """A token URL that is none is refused by the argument or variable that it came from."""
    with pytest.raises(ConfigurationError) as caught:
        sent(**OWN, token_url="iam")
    assert caught.value.argument == "token_url"
    env({**PAIR, "EVOLUTION_TOKEN_URL": "iam"})
    with pytest.raises(ConfigurationError) as caught:
        sent()
    assert caught.value.argument == "EVOLUTION_TOKEN_URL"


def test_nothing_at_all() -> None:
    """Both ways to give a credential are told, and where to get one."""
    with pytest.raises(ConfigurationError) as caught:
        sent()
    for word in ("key_id", "EVOLUTION_SECRET", "EVOLUTION_API_KEY", str(EVOLUTION.keys_url)):
        assert word in str(caught.value)


def test_servers_that_need_no_key(env: Any) -> None:
    """Without a credential none is sent, and one of the environment goes to no other server."""
    preset = PRESETS["vllm"]
    own = normal_base(str(preset.base_url))
    assert isinstance(auth_for(preset, own, Credentials()), NoAuth)
    env({"VLLM_API_KEY": "planted-key"})
    assert isinstance(auth_for(preset, own, Credentials()), Bearer)
    assert isinstance(auth_for(preset, "https://evil.test/v1", Credentials()), NoAuth)


def test_nothing_is_shown() -> None:
    """A repr shows nothing that was given."""
    given = Credentials(api_key="planted-1", key_id="planted-2", secret="planted-3")
    assert "planted" not in repr(given)
    assert "planted" not in repr(auth_for(EVOLUTION, BASE, Credentials(**OWN)))
    assert isinstance(auth_for(EVOLUTION, BASE, Credentials(**OWN)), KeyPair)


def test_the_project(env: Any) -> None:
    """The project goes into its header: the argument, else the variable; others take none."""
    seen = []

    def script(request: Request) -> MemoryReply:
        seen.append(request.headers.get("x-project-id"))
        return whole()

    env({"EVOLUTION_PROJECT_ID": "of-the-environment"})
    for given in (None, "given"):
        with Client(
            transport=MemoryTransport(script),
            provider="evolution",
            api_key="given-key-01",
            project_id=given,
        ) as client:
            client.chat.completions.create(messages=[{"role": "user", "content": "Hi"}])
    assert seen == ["of-the-environment", "given"]
    with pytest.raises(ConfigurationError, match="no header for a project"):
        Client(provider="openai", api_key="given-key-01", project_id="given")
