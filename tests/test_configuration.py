"""Arguments and environment, made into the settings of a client."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from evoclient.auth.base import NoAuth
from evoclient.auth.bearer import Bearer
from evoclient.configuration import configure, is_memory, transport_maker
from evoclient.ground import ConfigurationError
from evoclient.providers.base import Provider
from evoclient.providers.presets import PRESETS
from evoclient.retry import Retry
from evoclient.settings import Settings
from evoclient.streaming.sse import MOST_EVENT_BYTES
from evoclient.wire import Timeouts
from tests.auth.sending import never

NAMES = (
    "base_url", "api_key", "key_id", "secret", "token_url", "auth", "provider", "model",
    "timeout", "max_retries", "retry_delay",
    "retry", "limits", "project_id", "default_headers", "default_query", "max_event_bytes",
    "callbacks", "slow_after",
)  # fmt: skip
KEY = "sk-0123456789"
OTHER = "sk-other-key"


def configured(*, is_memory: bool = False, **given: Any) -> Settings:
    """Return the settings for arguments; what is not given is None."""
    return configure(**{**dict.fromkeys(NAMES), **given}, is_memory=is_memory)


def key_of(settings: Settings) -> str | None:
    """Return the key that requests would carry."""
    if isinstance(settings.auth, NoAuth):
        return None
    with pytest.raises(StopIteration) as end:
        next(settings.auth.authorise(never, None))
    value: str = end.value.value["authorization"]
    return value.removeprefix("Bearer ")


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set environment variables: ``env(NAME=value, …)``."""

    def set_all(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_all


# Environment, arguments, and what comes of them: preset, base URL, key, model.
FOUND: dict[str, tuple[dict[str, str], dict[str, Any], tuple[str, str, str | None, str | None]]] = {
    "a key tells the preset": (
        {"OPENROUTER_API_KEY": KEY},
        {},
        ("openrouter", "https://openrouter.ai/api/v1", KEY, "openrouter/auto"),
    ),
    "the first in order": (
        {"OPENAI_API_KEY": OTHER, "OPENROUTER_API_KEY": KEY},
        {},
        ("openrouter", "https://openrouter.ai/api/v1", KEY, "openrouter/auto"),
    ),
    "evolution is the very first": (
        {"OPENAI_API_KEY": OTHER, "EVOLUTION_API_KEY": KEY, "EVOCLIENT_BASE_URL": "https://h/v1"},
        {},
        ("evolution", "https://foundation-models.api.cloud.ru/v1", KEY, "default"),
    ),
    "a base URL is no credential": (
        {"OPENROUTER_BASE_URL": "https://h/v1", "OPENAI_API_KEY": KEY},
        {},
        ("openai", "https://api.openai.com/v1", KEY, "gpt-4o-mini"),
    ),
    "the environment over the default": (
        {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "https://h/v1/", "OPENAI_MODEL": " x "},
        {},
        ("openai", "https://h/v1", KEY, "x"),
    ),
    "the argument over the environment": (
        {"OPENAI_API_KEY": OTHER, "OPENAI_BASE_URL": "https://other/v1", "OPENAI_MODEL": "x"},
        {"provider": "openai", "api_key": KEY, "base_url": "https://h", "model": "y"},
        ("openai", "https://h/v1", KEY, "y"),
    ),
    "a provider by name": (
        {"EVOLUTION_API_KEY": OTHER, "OPENAI_API_KEY": KEY},
        {"provider": "openai"},
        ("openai", "https://api.openai.com/v1", KEY, "gpt-4o-mini"),
    ),
    "a given key goes to the preset that is found": (
        {"OPENAI_API_KEY": OTHER},
        {"api_key": KEY},
        ("openai", "https://api.openai.com/v1", KEY, "gpt-4o-mini"),
    ),
    "an explicit base URL is generic": (
        {"OPENAI_API_KEY": OTHER, "EVOLUTION_API_KEY": OTHER, "OPENAI_BASE_URL": "https://h/v1"},
        {"base_url": "https://h/v1"},
        ("generic", "https://h/v1", None, None),
    ),
    "generic from the environment": (
        {"EVOCLIENT_BASE_URL": "https://h", "EVOCLIENT_API_KEY": KEY, "EVOCLIENT_MODEL": "m"},
        {},
        ("generic", "https://h/v1", KEY, "m"),
    ),
    "generic, with the variable's own URL given": (
        {"EVOCLIENT_BASE_URL": "https://h/v1/", "EVOCLIENT_API_KEY": KEY},
        {"base_url": "https://H"},
        ("generic", "https://h/v1", KEY, None),
    ),
    "generic, root server": (
        {"EVOCLIENT_BASE_URL": "https://h/chat/completions", "EVOCLIENT_API_KEY": KEY},
        {},
        ("generic", "https://h", KEY, None),
    ),
    "generic, another URL gets no key": (
        {"EVOCLIENT_BASE_URL": "https://h/v1", "EVOCLIENT_API_KEY": KEY},
        {"base_url": "https://other/v1"},
        ("generic", "https://other/v1", None, None),
    ),
    "generic, a key alone is not sent anywhere": (
        {"EVOCLIENT_API_KEY": KEY},
        {"base_url": "https://h/v1"},
        ("generic", "https://h/v1", None, None),
    ),
    "another scheme, port or path is another URL": (
        {"EVOCLIENT_BASE_URL": "https://h/v1", "EVOCLIENT_API_KEY": KEY},
        {"base_url": "http://h/v1"},
        ("generic", "http://h/v1", None, None),
    ),
    "a local preset by its variable": (
        {"OLLAMA_BASE_URL": "http://box:1", "OPENROUTER_BASE_URL": "https://h"},
        {},
        ("ollama", "http://box:1/v1", None, "llama3.2"),
    ),
    "a local preset by name": ({}, {"provider": "vllm"},
                               ("vllm", "http://localhost:8000/v1", None, None)),
    "a local preset with a key": (
        {"VLLM_API_KEY": KEY},
        {"provider": "vllm"},
        ("vllm", "http://localhost:8000/v1", KEY, None),
    ),
    "a local preset elsewhere gets no key of the environment": (
        {"VLLM_API_KEY": KEY},
        {"provider": "vllm", "base_url": "https://elsewhere/v1"},
        ("vllm", "https://elsewhere/v1", None, None),
    ),
    "blank variables are none": (
        {"OPENAI_API_KEY": "  ", "OPENAI_BASE_URL": " ", "OPENROUTER_API_KEY": KEY,
         "OPENROUTER_BASE_URL": "  ", "OPENROUTER_MODEL": " "},
        {},
        ("openrouter", "https://openrouter.ai/api/v1", KEY, "openrouter/auto"),
    ),
    "memory with nothing else": (
        {},
        {"is_memory": True},
        ("generic", "http://memory.invalid/v1", None, None),
    ),
    "memory with a preset": (
        {"OPENAI_API_KEY": KEY},
        {"is_memory": True},
        ("openai", "https://api.openai.com/v1", KEY, "gpt-4o-mini"),
    ),
    "a record": (
        {"MINE": KEY},
        {"provider": Provider(name="mine", base_url="https://h/v1", api_key_variables=("MINE",))},
        ("mine", "https://h/v1", KEY, None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FOUND)
def test_what_is_found(case: str, env: Any) -> None:
    """Argument, then environment, then default; the preset by name, URL or credentials."""
    variables, given, expected = FOUND[case]
    env(**variables)
    settings = configured(**given)
    found = (settings.provider.name, settings.base_url, key_of(settings), settings.model)
    assert found == expected


def test_local_presets_are_not_guessed() -> None:
    """A server that needs no key is not assumed to run; the error lists what was looked for."""
    with pytest.raises(ConfigurationError, match="No provider is configured") as caught:
        configured()
    assert caught.value.argument == "provider"
    looked_for = caught.value.details["looked_for"]
    for name in ("EVOLUTION_API_KEY", "OPENROUTER_API_KEY", "OPENAI_API_KEY", "OLLAMA_BASE_URL"):
        assert name in looked_for
        assert name in caught.value.message
    assert "EVOCLIENT_BASE_URL" in looked_for
    assert all(preset in caught.value.message for preset in PRESETS)


def test_a_key_without_a_server() -> None:
    """A key alone does not say for whom it is."""
    with pytest.raises(ConfigurationError, match="A key is given, but not for which server"):
        configured(api_key=KEY)


@pytest.mark.parametrize("preset", ["evolution", "openrouter", "openai"])
def test_environment_keys_stay_at_home(preset: str, env: Any) -> None:
    """A key from the environment is never sent to a foreign base URL; the error says why."""
    [variable] = PRESETS[preset].api_key_variables
    env(**{variable: KEY})
    with pytest.raises(ConfigurationError, match="only sent to the preset's own") as caught:
        configured(provider=preset, base_url="https://evil.example/v1")
    assert variable in caught.value.message
    assert KEY not in caught.value.message
    assert caught.value.argument == "api_key"


@pytest.mark.parametrize("preset", ["evolution", "openrouter", "openai"])
def test_missing_keys(preset: str) -> None:
    """Without a key the error names the variable and where a key can be had."""
    with pytest.raises(ConfigurationError, match="needs a key") as caught:
        configured(provider=preset)
    assert PRESETS[preset].api_key_variables[0] in caught.value.message
    assert str(PRESETS[preset].keys_url) in caught.value.message


def test_generic_needs_a_base_url() -> None:
    """The preset without an address of its own says how to name one."""
    with pytest.raises(ConfigurationError, match="EVOCLIENT_BASE_URL") as caught:
        configured(provider="generic")
    assert caught.value.argument == "base_url"


@pytest.mark.parametrize("value", ["Моё приложение", "one\ntwo", "  "])
def test_a_variable_no_header_can_carry(value: str, env: Any) -> None:
    """What no header can carry is left out: the application may use the variable otherwise."""
    env(OPENROUTER_API_KEY=KEY, APP_TITLE=value, APP_URL="https://app.test")
    assert dict(configured().headers) == {"HTTP-Referer": "https://app.test"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OPENAI_API_KEY", "hidden\nkey"), ("OPENAI_API_KEY", "hidden-ключ"),
     ("OPENAI_BASE_URL", "hidden")],
)  # fmt: skip
def test_bad_variables(variable: str, value: str, env: Any) -> None:
    """A variable that holds what cannot be used is named; a key in it is not shown."""
    env(**{"OPENAI_API_KEY": KEY, variable: value})
    with pytest.raises(ConfigurationError, match=variable) as caught:
        configured()
    assert caught.value.argument == variable
    assert "hidden" not in caught.value.message or variable == "OPENAI_BASE_URL"


def test_a_bad_variable_that_is_not_needed(env: Any) -> None:
    """With a base URL given, an error about the preset's own variable names that variable."""
    env(OPENAI_API_KEY=KEY, OPENAI_BASE_URL="nonsense")
    with pytest.raises(ConfigurationError, match=r"^OPENAI_BASE_URL"):
        configured(provider="openai", base_url="https://api.openai.com/v1")


def test_headers_of_the_environment(env: Any) -> None:
    """Headers whose values the environment holds are sent; the user's own win."""
    env(OPENROUTER_API_KEY=KEY, APP_URL="https://me", APP_TITLE="Mine")
    assert configured().headers == {"HTTP-Referer": "https://me", "X-OpenRouter-Title": "Mine"}
    changed = configured(default_headers={"X-OpenRouter-Title": "Other", "X-A": None})
    assert changed.headers["X-OpenRouter-Title"] == "Other"
    assert changed.headers["X-A"] is None


def test_project_id(env: Any) -> None:
    """Evolution's project goes into its header."""
    env(EVOLUTION_API_KEY=KEY, EVOLUTION_PROJECT_ID="p-1")
    assert configured().headers == {"x-project-id": "p-1"}


def test_defaults(env: Any) -> None:
    """What is not given has the documented default."""
    env(OPENAI_API_KEY=KEY)
    settings = configured()
    assert settings.retry == Retry()
    assert settings.timeouts == Timeouts()
    assert settings.max_event_bytes == MOST_EVENT_BYTES == 16 * 2**20
    assert (settings.headers, settings.query) == ({}, {})
    assert settings.new_key() != settings.new_key()


def test_retries() -> None:
    """`max_retries` and `retry_delay` win over what `retry` says of them."""
    retry = Retry(attempts=9, base=4, cap=5)
    settings = configured(provider="vllm", retry=retry, max_retries=0, retry_delay=0.1)
    assert settings.retry == Retry(attempts=1, base=0.1, cap=5)
    assert configured(provider="vllm", retry=retry).retry is retry
    assert configured(provider="vllm", max_retries=5).retry.attempts == 6


def test_other_arguments() -> None:
    """Query, timeouts, auth and the bound of events arrive in the settings."""
    auth = Bearer(KEY)
    settings = configured(
        provider="openai", auth=auth, default_query={"a": 1}, timeout=5, max_event_bytes=10
    )
    assert settings.auth is auth
    assert settings.query == {"a": "1"}
    assert settings.timeouts == Timeouts(first_chunk=5, idle=5)
    assert settings.max_event_bytes == 10


BAD: list[tuple[str, Any]] = [
    *[("provider", bad) for bad in ("nobody", "", 5, [], ["openai"])],
    *[("base_url", bad) for bad in ("", "h/v1", "https://h?x=1", 5, b"https://h")],
    *[("api_key", bad) for bad in ("", "a\nb", "ключ", 5, b"key")],
    *[("auth", bad) for bad in ("key", 5)],
    *[("timeout", bad) for bad in (0, -1, "5", True)],
    *[("max_retries", bad) for bad in (-1, 1.5, True, "2")],
    *[("retry_delay", bad) for bad in (-1, "1", float("nan"))],
    *[("retry", bad) for bad in (3, 0, "no")],
    *[("default_headers", bad) for bad in ("a", {"a": "b\n"}, {"a b": "c"}, {"a": 5})],
    *[("default_query", bad) for bad in ("a", {"a": None})],
    *[("callbacks", bad) for bad in (5, "f", {"on_nothing": print})],
    *[("slow_after", bad) for bad in (-1, "1", True, float("nan"))],
    *[("max_event_bytes", bad) for bad in (0, -1, 1.5, True, "9")],
]


@pytest.mark.parametrize(("argument", "bad"), BAD)
def test_bad_arguments(argument: str, bad: Any) -> None:
    """A wrong argument is refused when the client is made, and named."""
    given = {"provider": "vllm", argument: bad}
    with pytest.raises(ConfigurationError) as caught:
        configured(**given)
    assert caught.value.argument == argument
    assert argument in caught.value.message


def test_key_and_auth() -> None:
    """Two ways to say who we are contradict each other."""
    with pytest.raises(ConfigurationError, match="not both"):
        configured(provider="openai", api_key=KEY, auth=Bearer(KEY))


class SyncTransport:
    """A transport that answers nothing."""

    needs_server = False

    def send(self, request: object, deadlines: object) -> None:
        """Do nothing."""


class AsyncTransport:
    """A transport of the other colour."""

    async def send(self, request: object, deadlines: object) -> None:
        """Do nothing."""


def test_transports_given() -> None:
    """A transport is used as it is by a client of its colour, and refused by the other."""
    sync, other = SyncTransport(), AsyncTransport()
    assert transport_maker(sync, "sync", verify=True, cert=None)() is sync
    assert transport_maker(other, "async", verify=True, cert=None)() is other
    with pytest.raises(ConfigurationError, match="needs a sync one"):
        transport_maker(other, "sync", verify=True, cert=None)
    with pytest.raises(ConfigurationError, match="needs an async one"):
        transport_maker(sync, "async", verify=True, cert=None)
    with pytest.raises(ConfigurationError, match="is not a transport"):
        transport_maker(5, "sync", verify=True, cert=None)


@pytest.mark.parametrize("given", [{"verify": False, "cert": None}, {"verify": True, "cert": "x"}])
def test_certificates_of_a_transport(given: dict[str, Any]) -> None:
    """A transport that is given knows its certificates itself."""
    with pytest.raises(ConfigurationError, match="pass them to the transport itself"):
        transport_maker(SyncTransport(), "sync", **given)


def test_transports_by_name() -> None:
    """A transport given by name is made when it is needed, once for each call."""
    from evoclient.transports.memory import MemoryTransport

    make = transport_maker("memory", "sync", verify=True, cert=None)
    assert isinstance(make(), MemoryTransport)
    assert make() is not make()


def test_transport_names() -> None:
    """A name that nobody knows is refused before any request."""
    with pytest.raises(ConfigurationError, match="nowhere") as caught:
        transport_maker("nowhere", "sync", verify=True, cert=None)
    assert caught.value.argument == "transport"


def test_needs_no_server() -> None:
    """The memory transport, by name or as an object, needs no provider."""
    assert is_memory("memory")
    assert is_memory(SyncTransport())
    assert not is_memory("requests")
    assert not is_memory(AsyncTransport())


def test_nothing_is_loaded() -> None:
    """Configuring loads no HTTP library and no event loop."""
    import subprocess

    code = (
        "import sys, evoclient.configuration as c;"
        "c.transport_maker('requests', 'sync', verify=True, cert=None);"
        "c.configure(**dict.fromkeys(sys.argv[1].split(',')) | {'provider': 'vllm'},"
        " is_memory=False);"
        "print(sorted({'requests', 'aiohttp', 'asyncio', 'urllib3'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, ",".join(NAMES)]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"[]\n"
