"""One frozen record of everything a provider does differently.

Code never asks for a provider's name: a difference is a field here, with a neutral default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

__all__ = ["Provider"]


def _no_headers() -> dict[str, str]:
    return {}


@attrs.frozen(kw_only=True)
class Provider:
    """A server that speaks the OpenAI dialect, and how it differs from the others.

    Attributes:
        name: How users and errors call it.
        base_url: Where it is, or None if the user must say.
        base_url_variables: Environment variables that may name another base URL, first wins.
        api_key_variables: Environment variables that may hold a key, first wins.
        key_id_variables: Environment variables that may hold the id of a key pair, first wins.
        secret_variables: Those that may hold its secret.
        token_url: Where a pair is exchanged for a token, or None: where Cloud.ru does.
        token_url_variables: Environment variables that may name another place, first wins.
        project_header: The request header that names a project, or None.
        needs_key: Whether requests without a key make no sense.
        default_model: The model used when none is named, or None if one must be named.
        model_variables: Environment variables that may name the default model, first wins.
        header_variables: Request header to the environment variable that may hold its value.
        keys_url: Where a person gets a key, for the message of an error.
        stop_sequences: How many stop sequences a request may hold; None: any number.
        prefill: What the server does with an assistant message at the end of a conversation: it
            "continues" it, "repeats" it and goes on, or None: it begins an answer of its own.
        prefill_body: What a request whose last message is to be continued says besides.
    """

    name: str
    base_url: str | None = None
    base_url_variables: tuple[str, ...] = ()
    api_key_variables: tuple[str, ...] = ()
    key_id_variables: tuple[str, ...] = ()
    secret_variables: tuple[str, ...] = ()
    token_url: str | None = None
    token_url_variables: tuple[str, ...] = ()
    project_header: str | None = None
    needs_key: bool = True
    default_model: str | None = None
    model_variables: tuple[str, ...] = ()
    header_variables: Mapping[str, str] = attrs.field(factory=_no_headers)
    keys_url: str | None = None
    stop_sequences: int | None = 4
    prefill: Literal["continues", "repeats"] | None = None
    prefill_body: Mapping[str, Any] = attrs.field(factory=dict)
