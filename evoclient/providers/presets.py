"""The built-in providers, in the order in which the environment is searched for credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .base import Provider

__all__ = ["GENERIC", "PRESETS", "TOKEN_URL"]

#: Where Cloud.ru exchanges keys for tokens.
TOKEN_URL: Final = "https://iam.api.cloud.ru/api/v1/auth/token"  # noqa: S105 - an address

_EVOLUTION = Provider(
    name="evolution",
    base_url="https://foundation-models.api.cloud.ru/v1",
    base_url_variables=("EVOLUTION_BASE_URL",),
    api_key_variables=("EVOLUTION_API_KEY",),
    key_id_variables=("EVOLUTION_KEY_ID",),
    secret_variables=("EVOLUTION_SECRET",),
    token_url=TOKEN_URL,
    token_url_variables=("EVOLUTION_TOKEN_URL",),
    project_header="x-project-id",
    # What Cloud.ru's own deployments call the model they serve.
    default_model="default",
    model_variables=("EVOLUTION_MODEL",),
    header_variables={"x-project-id": "EVOLUTION_PROJECT_ID"},
    keys_url="https://console.cloud.ru",
)

_OPENROUTER = Provider(
    name="openrouter",
    base_url="https://openrouter.ai/api/v1",
    base_url_variables=("OPENROUTER_BASE_URL",),
    api_key_variables=("OPENROUTER_API_KEY",),
    # The router's own choice among the models it serves.
    default_model="openrouter/auto",
    model_variables=("OPENROUTER_MODEL",),
    header_variables={"HTTP-Referer": "APP_URL", "X-OpenRouter-Title": "APP_TITLE"},
    keys_url="https://openrouter.ai/keys",
)

_OPENAI = Provider(
    name="openai",
    base_url="https://api.openai.com/v1",
    base_url_variables=("OPENAI_BASE_URL",),
    api_key_variables=("OPENAI_API_KEY",),
    default_model="gpt-4o-mini",
    model_variables=("OPENAI_MODEL",),
    header_variables={
        "OpenAI-Organization": "OPENAI_ORG_ID",
        "OpenAI-Project": "OPENAI_PROJECT_ID",
    },
    keys_url="https://platform.openai.com/api-keys",
)

_OLLAMA = Provider(
    name="ollama",
    base_url="http://localhost:11434/v1",
    base_url_variables=("OLLAMA_BASE_URL",),
    api_key_variables=("OLLAMA_API_KEY",),
    needs_key=False,
    default_model="llama3.2",
    model_variables=("OLLAMA_MODEL",),
    stop_sequences=None,
    prefill="continues",
)

_VLLM = Provider(
    name="vllm",
    base_url="http://localhost:8000/v1",
    base_url_variables=("VLLM_BASE_URL",),
    api_key_variables=("VLLM_API_KEY",),
    needs_key=False,
    model_variables=("VLLM_MODEL",),
    stop_sequences=None,
    prefill="continues",
    prefill_body={"continue_final_message": True, "add_generation_prompt": False},
)

_LLAMACPP = Provider(
    name="llamacpp",
    base_url="http://localhost:8080/v1",
    base_url_variables=("LLAMACPP_BASE_URL",),
    api_key_variables=("LLAMACPP_API_KEY",),
    needs_key=False,
    # The server answers with the one model it has loaded, whatever it is called.
    default_model="default",
    model_variables=("LLAMACPP_MODEL",),
    stop_sequences=None,
    prefill="continues",
)

GENERIC: Final = Provider(
    name="generic",
    base_url_variables=("EVOCLIENT_BASE_URL",),
    api_key_variables=("EVOCLIENT_API_KEY",),
    needs_key=False,
    model_variables=("EVOCLIENT_MODEL",),
)

#: By name, in the order in which the environment is searched.
PRESETS: Final[Mapping[str, Provider]] = {
    provider.name: provider
    for provider in (_EVOLUTION, _OPENROUTER, _OPENAI, _OLLAMA, _VLLM, _LLAMACPP, GENERIC)
}
