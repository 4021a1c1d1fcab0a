"""Takes the secrets out of recorded exchanges, so that a cassette can be shared.

In a reply each byte of a secret becomes an asterisk: what was as long as before can be cut where
it was cut before. Elsewhere ``***`` takes the place of a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote_plus, urlsplit

import attrs

from ..credentials import SENSITIVE_PARAMETERS
from ..errors.scrub import masked_document
from ..ground import MASK, SENSITIVE_HEADERS, Secrets, mask, secrets_in, secrets_of
from ..models.codec import dumps, loads
from ..streaming.inflate import Inflate, InflateError
from ..streaming.recording import Block, Exchange, Failure
from ..wire import Headers, Request

__all__ = ["is_sign_in", "secrets_of_request", "shown_path", "without_secrets"]

#: Members of a request for a token that are credentials, in lower case.
_CREDENTIALS: Final = frozenset(
    {
        "access_token",
        "api_key",
        "apikey",
        "assertion",
        "client_secret",
        "id_token",
        "key_id",
        "keyid",
        "password",
        "refresh_token",
        "secret",
    }
)

#: A header of a request with one of these words in its name is a credential: hiding too much of
#: a request costs nothing, since only the reply is played.
_WORDS: Final = re.compile(
    r"(?:^|-)(?:api-?key|auth|cookie|credentials?|key|password|secret|session|signature|token)"
    r"(?:$|-)"
)

#: A shorter value of such a header may be a word that stands elsewhere in its own right.
_LIKELY_SECRET: Final = 12

#: A token in a JSON document, wherever it stands.
_TOKEN: Final = re.compile(
    rb'"(?:access_token|id_token|refresh_token)"\s*:\s*"((?:[^"\\]|\\.)*)"', re.DOTALL
)
_CREDENTIAL: Final = re.compile(
    rb'"(?:%b)"\s*:\s*"((?:[^"\\]|\\.)*)"' % "|".join(sorted(_CREDENTIALS)).encode(),
    re.DOTALL | re.IGNORECASE,
)
_USER: Final = re.compile(r"//[^/?#@]*@")


def secrets_of_request(request: Request) -> Secrets:
    """Return what must not be shown of a request, in all the forms in which it may be echoed."""
    pairs = request.headers.pairs
    query = urlsplit(request.url).query
    values = [value for name, value in _parameters(query) if name in _PARAMETERS]
    odd = [value for name, value in pairs if _is_sensitive(name)]
    odd += [value.rpartition(" ")[2] for value in odd]
    values += [value for value in odd if len(value) >= _LIKELY_SECRET]
    return Secrets({*secrets_in(pairs), *secrets_of(values), *request.secrets})


def without_secrets(exchanges: Iterable[tuple[Exchange, Secrets]]) -> tuple[Exchange, ...]:
    """Return exchanges without the secrets that any of them is known to hold.

    Args:
        exchanges: Each with the secrets of its request, see `secrets_of_request`.
    """
    # Plain first: a secret in a compressed body could not be seen.
    plain = [(_decompressed(exchange), secrets) for exchange, secrets in exchanges]
    known = {secret for _, secrets in plain for secret in secrets}
    for exchange, _ in plain:
        known |= set(secrets_of(_tokens(exchange)))
    longest_first = Secrets(sorted(known, key=len, reverse=True))
    return tuple(_masked(exchange, longest_first) for exchange, _ in plain)


def is_sign_in(exchange: Exchange) -> bool:
    """Return whether an exchange asks for a token with credentials that are in its body."""
    return any(name.lower() in _CREDENTIALS for name in _members(exchange.request_body))


def shown_path(request: Request) -> str:
    """Return the path of a request as a cassette shows it."""
    return urlsplit(_url(request.url, secrets_of_request(request))).path


_PARAMETERS: Final = SENSITIVE_PARAMETERS | _CREDENTIALS


def _is_sensitive(name: str) -> bool:
    return name.lower() in SENSITIVE_HEADERS or _WORDS.search(name.lower()) is not None


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    """Yield names in lower case with values, both decoded."""
    for part in query.split("&"):
        name, _, value = part.partition("=")
        yield unquote_plus(name).lower(), unquote_plus(value)


def _members(body: bytes | None) -> list[str]:
    """Return the names in a JSON object or a form."""
    try:
        document = loads(body or b"")
    except ValueError:
        text = (body or b"").decode("utf-8", "replace")
        return [name for name, _ in _parameters(text)] if "=" in text else []
    return list(document) if isinstance(document, dict) else []


def _tokens(exchange: Exchange) -> Iterator[str]:
    for found in _TOKEN.finditer(exchange.body):
        yield found[1].decode("utf-8", "replace")
        try:
            yield str(json.loads(b'"%b"' % found[1]))
        except ValueError:  # no JSON after all
            continue


def _masked(exchange: Exchange, secrets: Secrets) -> Exchange:
    failure = exchange.failure
    pattern = _CREDENTIAL if is_sign_in(exchange) else _TOKEN
    return attrs.evolve(
        exchange,
        url=_url(exchange.url, secrets),
        request_headers=Headers(
            (name, MASK if _is_sensitive(name) else mask(value, secrets))
            for name, value in exchange.request_headers.pairs
        ),
        request_body=_request_body(exchange.request_body, secrets),
        headers=Headers(
            (name, MASK if name.lower() in SENSITIVE_HEADERS else mask(value, secrets))
            for name, value in exchange.headers.pairs
        ),
        blocks=_blocks(exchange, pattern, secrets),
        failure=failure and attrs.evolve(failure, message=mask(failure.message, secrets)),
    )


def _url(url: str, secrets: Secrets) -> str:
    before, question, query = _USER.sub(f"//{MASK}@", url, count=1).partition("?")
    return mask(before + question + _query(query), secrets)


def _query(query: str) -> str:
    """Return a query, or a form, with the values of credentials masked."""
    parts = []
    for part in query.split("&"):
        name, equals, _ = part.partition("=")
        is_secret = equals and unquote_plus(name).lower() in _PARAMETERS
        parts.append(f"{name}={MASK}" if is_secret else part)
    return "&".join(parts)


def _request_body(body: bytes | None, secrets: Secrets) -> bytes | None:
    if body is None:
        return None
    try:
        document = loads(body)
    except ValueError:
        return _starred(_form(body), secrets)
    masked = masked_document(document, secrets)
    if isinstance(masked, dict):
        masked = {
            name: MASK if name.lower() in _CREDENTIALS and isinstance(value, str) else value
            for name, value in masked.items()
        }
    return body if masked == document else dumps(masked, allow_nan=True)


def _form(body: bytes) -> bytes:
    """Return a form without credentials; what is no text stays as it is."""
    try:
        return _query(body.decode()).encode()
    except UnicodeDecodeError:
        return body


def _blocks(exchange: Exchange, pattern: re.Pattern[bytes], secrets: Secrets) -> tuple[Block, ...]:
    """Return the blocks without secrets, also those that lie across a border of blocks."""
    body = pattern.sub(_stars, _starred(exchange.body, secrets))
    blocks, start = [], 0
    for block in exchange.blocks:
        end = start + len(block.data)
        blocks.append(Block(block.after, body[start:end]))
        start = end
    return tuple(blocks)


def _starred(data: bytes, secrets: Secrets) -> bytes:
    for secret in secrets:
        form = secret.encode("utf-8", "replace")
        data = data.replace(form, b"*" * len(form))
    return data


def _stars(found: re.Match[bytes]) -> bytes:
    start, end = found.span(1)
    whole = found[0]
    return whole[: start - found.start()] + b"*" * (end - start) + whole[end - found.start() :]


def _decompressed(exchange: Exchange) -> Exchange:
    """Return an exchange whose reply is not compressed; what cannot be read of it is left out."""
    encoding = exchange.headers.get("content-encoding", "identity")
    if encoding.strip().lower() in ("", "identity"):
        return exchange
    left_out = ("content-encoding", "content-length")
    kept = Headers(pair for pair in exchange.headers.pairs if pair[0].lower() not in left_out)
    blocks: list[Block] = []
    try:
        inflate = Inflate(encoding)
        for block in exchange.blocks:
            inflate.give(block.data)
            blocks.append(Block(block.after, _taken(inflate)))
    except InflateError as error:
        failure = Failure("InflateError", f"The body cannot be decompressed: {error}.")
        return attrs.evolve(
            exchange, headers=kept, blocks=tuple(blocks), ending="failed", failure=failure
        )
    return attrs.evolve(exchange, headers=kept, blocks=tuple(blocks))


def _taken(inflate: Inflate) -> bytes:
    steps = []
    while inflate.pending:
        steps.append(inflate.take())
    return b"".join(steps)
