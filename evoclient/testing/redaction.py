"""Takes the secrets out of recorded exchanges, so that a cassette can be shared.

A secret is known by the header, the parameter of an address or the member of a JSON document that
holds it, at any depth; where it is long enough, it is then looked for everywhere. In a reply each
byte of a secret becomes an asterisk: what was as long as before can be cut where it was cut before.
Elsewhere ``***`` takes the place of a secret.

A secret that a reply spreads over several events, as a model does that repeats a key word by word,
is not found. Nor is one whose name does not tell what it is, such as a key in the text of a
message that is not also the key of the request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote_plus, urlsplit

import attrs

from ..credentials import SENSITIVE_PARAMETERS
from ..errors.scrub import masked_document
from ..ground import MASK, SENSITIVE_HEADERS, Secrets, mask, secrets_in, secrets_of
from ..models.codec import dumps, loads
from ..streaming.inflate import Inflate, InflateError
from ..streaming.recording import Block, Exchange, Failure
from ..wire import Headers, Request

__all__ = [
    "is_sign_in",
    "secrets_of_request",
    "shown_document",
    "shown_path",
    "without_secrets",
]

#: Members of a JSON document or a form that are credentials, in lower case.
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
_NAMES: Final = _CREDENTIALS | SENSITIVE_HEADERS
_CREDENTIAL: Final = re.compile(
    rb'"(?:%b)"\s*:\s*"((?:[^"\\]|\\.)*)"' % "|".join(sorted(_NAMES)).encode(),
    re.DOTALL | re.IGNORECASE,
)
_CREDENTIAL_IN_TEXT: Final = re.compile(
    rf"""("(?:{"|".join(sorted(_NAMES))})"\s*:\s*")((?:[^"\\]|\\.)*)(")""",
    re.DOTALL | re.IGNORECASE,
)
_USER: Final = re.compile(r"//[^/?#]*@")
#: What of an address in a text may hold a secret. Its scheme is not looked for: that would take
#: long in a long text without any.
_ADDRESS: Final = re.compile(r"""://[^\s"'<>`\\]+""")


def secrets_of_request(request: Request) -> Secrets:
    """Return what must not be shown of a request, in all the forms in which it may be echoed.

    Returns:
        Longest first: one secret may be a part of another.
    """
    pairs = request.headers.pairs
    query = urlsplit(request.url).query
    values = [value for name, value in _parameters(query) if name in _PARAMETERS]
    odd = [value for name, value in pairs if _is_sensitive(name)]
    odd += [value.rpartition(" ")[2] for value in odd]
    values += [value for value in odd if len(value) >= _LIKELY_SECRET]
    values += _told(request.body)
    known = {*secrets_in(pairs), *secrets_of(values), *request.secrets}
    return Secrets(sorted(known, key=len, reverse=True))


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


def shown_document(request: Request) -> Any:
    """Return the JSON of a request's body as a cassette shows it.

    Raises:
        ValueError: It is not JSON.
    """
    return loads(_request_body(request.body, secrets_of_request(request)) or b"")


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
        blocks=_blocks(exchange, secrets),
        failure=failure and attrs.evolve(failure, message=mask(failure.message, secrets)),
    )


def _told(body: bytes | None) -> Iterator[str]:
    """Yield the credentials in a JSON document that can hardly stand elsewhere in their own right.

    Args:
        body: The body of a request; of one that is no JSON nothing is told.
    """
    try:
        document = loads(body or b"")
    except ValueError:
        return
    found: list[str] = []
    _hidden(document, found)
    for value in found:
        scheme, _, secret = value.rpartition(" ")
        if len(secret) >= _LIKELY_SECRET and " " not in scheme:
            yield secret


def _url(url: str, secrets: Secrets) -> str:
    return mask(_address(url), secrets)


def _address(url: str) -> str:
    """Return an address without a user, and without the values of credentials."""
    before, question, query = _USER.sub(f"//{MASK}@", url, count=1).partition("?")
    return before + question + _query(query)


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
        return _starred(_CREDENTIAL.sub(_stars, _form(body)), secrets)
    masked = masked_document(_hidden(document, []), secrets)
    return body if masked == document else dumps(masked, allow_nan=True)


def _hidden(
    value: Any, found: list[str], *, is_secret: bool = False, is_headers: bool = False
) -> Any:
    """Return a JSON document without credentials, which are known by the names of members.

    Args:
        value: The document, or a part of it.
        found: Takes the credentials that are texts.
        is_secret: Whether the name of the member says that the part is a credential.
        is_headers: Whether it says that the part's own members are headers.
    """
    if isinstance(value, dict):
        return {
            name: _hidden(
                part,
                found,
                is_secret=name.lower() in _NAMES or (is_headers and _is_sensitive(name)),
                is_headers=name.lower().endswith("headers"),
            )
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_hidden(part, found, is_secret=is_secret) for part in value]
    if not isinstance(value, str):
        return value
    if is_secret:
        found.append(value)
        return MASK
    return _hidden_in_text(value, found)


def _hidden_in_text(text: str, found: list[str]) -> str:
    """Return a text without the credentials in addresses and in JSON, and else as it was.

    The arguments of a tool call are JSON in a text.
    """

    def hide(match: re.Match[str]) -> str:
        found.append(match[2])
        return f"{match[1]}{MASK}{match[3]}"

    text = _CREDENTIAL_IN_TEXT.sub(hide, text)
    return _ADDRESS.sub(lambda address: _address(address[0]), text)


def _form(body: bytes) -> bytes:
    """Return a form without credentials; what is no text stays as it is."""
    try:
        return _query(body.decode()).encode()
    except UnicodeDecodeError:
        return body


def _blocks(exchange: Exchange, secrets: Secrets) -> tuple[Block, ...]:
    """Return the blocks without secrets, also those that lie across a border of blocks."""
    body = _CREDENTIAL.sub(_stars, _starred(exchange.body, secrets))
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
