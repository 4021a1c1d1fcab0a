"""Planted credentials, and the search for them in everything that an error or a log carries."""

from __future__ import annotations

import html
import json
import logging
import pickle
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from traceback import TracebackException
from types import FrameType, FunctionType, MethodType, ModuleType, TracebackType
from typing import Any, Final
from urllib.parse import quote, quote_plus

from _pytest._io.saferepr import saferepr
from aiohttp.web_protocol import RequestHandler

__all__ = [
    "ECHO",
    "HTTPCORE_HEAD",
    "KEY",
    "KEY_ID",
    "SECRET",
    "TOKEN",
    "Logs",
    "found",
    "frames",
    "places",
]

# With characters that JSON, URLs and HTML spell in another way.
KEY: Final = "planted/Bearer+Key=0123&456<7>"
KEY_ID: Final = "planted-id/0123+45=6"
SECRET: Final = 'planted "secret"/\\+&=6789'
TOKEN: Final = "planted.token/+=.890-_xyz"

_TESTS = Path(__file__).parents[1]
_OPAQUE = (type, ModuleType, FunctionType, MethodType, TracebackType, FrameType, logging.Handler)


def _spellings(secret: str) -> Iterator[str]:
    """Yield a secret as servers may echo it."""
    escaped = json.dumps(secret)[1:-1]
    yield from (secret, escaped, escaped.replace("/", "\\/"))
    yield from (quote(secret, safe=""), quote_plus(secret), html.escape(secret, quote=False))
    for before in ("", "x", "xy", "user:"):
        raw = f"{before}{secret}".encode()
        yield from (b64encode(raw).decode(), urlsafe_b64encode(raw).decode())


_SECRETS = (KEY, KEY_ID, SECRET, TOKEN)

#: What a server says that shows all it has learnt, in all spellings.
ECHO: Final = " | ".join(spelling for secret in _SECRETS for spelling in _spellings(secret))


def _needles(secrets: Iterable[str]) -> Iterator[str]:
    for secret in secrets:
        for spelling in _spellings(secret):
            # The last characters of base64 depend on what follows, and padding may be dropped.
            needle = spelling.rstrip("=")[:-1]
            yield from (needle, repr(needle)[1:-1], json.dumps(needle)[1:-1])


def found(texts: Iterable[tuple[str, str]], secrets: Iterable[str] = _SECRETS) -> list[str]:
    """Return the places whose text shows one of some secrets, in whatever spelling."""
    needles = frozenset(_needles(secrets))
    bad = (place for place, text in texts if any(needle in text for needle in needles))
    return list(dict.fromkeys(bad))


def places(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield all that an error shows or carries: where, and the text."""
    yield from (("str", str(error)), ("repr", repr(error)), ("args", repr(error.args)))
    yield "pickle", pickle.dumps(error).decode("latin-1")
    yield from _inside(error, "error", set(), 0)
    for name, one in _all_errors(error, "error"):
        yield from _locals_of(name, one)


def _all_errors(error: BaseException, name: str) -> Iterator[tuple[str, BaseException]]:
    yield name, error
    for number, attempt in enumerate(getattr(error, "attempts", ())):
        yield f"{name}.attempts[{number}]", attempt


def _locals_of(name: str, error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield the local variables that a report with locals shows, but for those of the tests."""
    report: TracebackException | None = TracebackException.from_exception(
        error, capture_locals=True
    )
    while report is not None:
        for frame in report.stack:
            if not Path(frame.filename).is_relative_to(_TESTS):
                for variable, shown in (frame.locals or {}).items():
                    yield f"{name}: {Path(frame.filename).name}:{frame.name}:{variable}", shown
        report = report.__cause__ or report.__context__


def frames(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield what pytest's ``--showlocals`` prints: the local variables of every frame.

    Those of the tests and of whoever calls evoclient are theirs.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        link = waiting.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        trace = link.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            if not Path(code.co_filename).is_relative_to(_TESTS):
                for variable, value in trace.tb_frame.f_locals.items():
                    place = f"{Path(code.co_filename).name}:{code.co_name}:{variable}"
                    yield place, saferepr(value)
            trace = trace.tb_next
        waiting += [link.__cause__, link.__context__]


def _inside(value: Any, place: str, seen: set[int], depth: int) -> Iterator[tuple[str, str]]:
    """Yield every text in a value, and in what its attributes hold."""
    if value is None or isinstance(value, (bool, int, float, _OPAQUE)):
        return
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, (bytes, bytearray)):
        yield place, value.decode("latin-1")
    elif id(value) not in seen and depth < 14:
        seen.add(id(value))
        for name, part in _parts(value):
            yield from _inside(part, f"{place}{name}", seen, depth + 1)


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in list(value.items()):
            yield from ((".key", key), (f"[{key!r:.20}]", item))
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in list(value):
            yield "[]", item
    if isinstance(value, BaseException):
        for name in ("args", "__cause__", "__context__"):
            yield f".{name}", getattr(value, name)
    if isinstance(value, UnicodeError):
        yield ".object", getattr(value, "object", None)
    yield from ((f".{name}", part) for name, part in getattr(value, "__dict__", {}).items())
    for kind in type(value).__mro__:
        slots = getattr(kind, "__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            yield f".{slot}", getattr(value, slot, None)


#: How httpcore's own records of a reply's head begin, which quote what the server sent. A test of
#: its own is about that.
HTTPCORE_HEAD: Final = "receive_response_headers."


class Logs(logging.Handler):
    """Keeps what every logger says at DEBUG, but for httpcore's records of heads."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        if not str(record.msg).startswith(HTTPCORE_HEAD):
            self.records.append(record)

    def places(self) -> Iterator[tuple[str, str]]:
        """Yield the texts of the records, and what their arguments hold."""
        for record in self.records:
            place = f"log {record.name} {record.msg!r:.60}"
            yield place, logging.Formatter().format(record)
            # asyncio's arguments lead to their loop, and there to what the server received, which
            # runs in this process; its own transports lead there at once. These ways, and no
            # others, are not gone.
            args = record.args if isinstance(record.args, tuple) else ()
            received = {id(arg._loop) for arg in args if hasattr(arg, "_loop")}
            for arg in args:
                protocol = getattr(arg, "_protocol", None)
                if isinstance(protocol, RequestHandler):
                    received.add(id(protocol))
            yield from _inside(record.args, f"{place} args", received, 0)
