"""The built-in providers."""

from __future__ import annotations

import attrs
import pytest

from evoclient.providers.base import Provider
from evoclient.providers.presets import GENERIC, PRESETS
from evoclient.urls import normal_base
from evoclient.wire import check_header

NAMES = ["evolution", "openrouter", "openai", "ollama", "vllm", "llamacpp", "generic"]


def test_order() -> None:
    """The environment is searched in the documented order."""
    assert list(PRESETS) == NAMES
    assert PRESETS["generic"] is GENERIC


@pytest.mark.parametrize("name", NAMES)
def test_records(name: str) -> None:
    """A record holds its name, a normal base URL and headers that may be sent, and is frozen."""
    preset = PRESETS[name]
    assert preset.name == name
    assert preset.base_url is None or normal_base(preset.base_url) == preset.base_url
    for header in preset.header_variables:
        check_header(header, "x", name)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        preset.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "base_url", "needs_key", "variables"),
    [
        ("evolution", "https://foundation-models.api.cloud.ru/v1", True,
         {"EVOLUTION_BASE_URL", "EVOLUTION_API_KEY", "EVOLUTION_PROJECT_ID"}),
        ("openrouter", "https://openrouter.ai/api/v1", True,
         {"OPENROUTER_BASE_URL", "OPENROUTER_API_KEY", "APP_URL", "APP_TITLE"}),
        ("openai", "https://api.openai.com/v1", True, {"OPENAI_BASE_URL", "OPENAI_API_KEY"}),
        ("ollama", "http://localhost:11434/v1", False, set()),
        ("vllm", "http://localhost:8000/v1", False, set()),
        ("llamacpp", "http://localhost:8080/v1", False, set()),
        ("generic", None, False, {"EVOCLIENT_BASE_URL", "EVOCLIENT_API_KEY", "EVOCLIENT_MODEL"}),
    ],
)  # fmt: skip
def test_facts(name: str, base_url: str | None, needs_key: bool, variables: set[str]) -> None:
    """Addresses, keys and variables are the documented ones."""
    preset = PRESETS[name]
    found = {
        *preset.base_url_variables,
        *preset.api_key_variables,
        *preset.model_variables,
        *preset.header_variables.values(),
    }
    assert (preset.base_url, preset.needs_key) == (base_url, needs_key)
    assert variables <= found


def test_variables_belong_to_one_preset() -> None:
    """No key can reach two providers: each variable is named by one preset only."""
    keys = [variable for preset in PRESETS.values() for variable in preset.api_key_variables]
    urls = [variable for preset in PRESETS.values() for variable in preset.base_url_variables]
    assert len({*keys, *urls}) == len(keys) + len(urls)


def test_neutral_defaults() -> None:
    """A record needs nothing but a name."""
    record = Provider(name="mine")
    assert (record.base_url, record.needs_key, record.default_model) == (None, True, None)
    assert record.header_variables == {}
