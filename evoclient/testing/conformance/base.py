"""What the scenarios stand on: how a transport is made, and what an error should look like."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, ClassVar, Final, Generic, TypeVar
from unittest import SkipTest

from .calls import Caller, calling

__all__ = ["Caught", "Scenarios", "raises"]

#: What would lead a request of the suite elsewhere.
_FOREIGN: Final = (
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
)

_Error = TypeVar("_Error", bound=BaseException)


class Caught(Generic[_Error]):
    """An exception that was caught."""

    value: _Error


@contextmanager
def raises(kind: type[_Error], match: str = "") -> Iterator[Caught[_Error]]:
    """Expect an exception whose text holds a match of a pattern."""
    caught: Caught[_Error] = Caught()
    try:
        yield caught
    except kind as error:
        caught.value = error
        if not re.search(match, str(error)):
            raise AssertionError(f"the text {str(error)!r} has no {match!r}") from error
    else:
        raise AssertionError(f"no {kind.__name__} was raised")


class Scenarios:
    """Base of the scenarios: a fresh transport for each, in an environment without proxies.

    Attributes:
        exceptions: Scenarios that are left out, each with the reason, by the name of the method.
        caller: What calls the transport.
    """

    exceptions: ClassVar[Mapping[str, str]] = MappingProxyType({})
    caller: Caller

    def make(self) -> Any:
        """Return a new transport of either colour."""
        raise NotImplementedError("Say how your transport is made: def make(self): return …")

    def setup_method(self, method: Any) -> None:
        """Begin a scenario (pytest calls it)."""
        if reason := self.exceptions.get(method.__name__):
            raise SkipTest(reason)
        self._environment = dict(os.environ)
        for name in list(os.environ):
            if name.upper() in _FOREIGN:
                del os.environ[name]
        self.caller = calling(self.make())

    def teardown_method(self, method: Any) -> None:
        """End a scenario (pytest calls it)."""
        if method.__name__ in self.exceptions:
            return
        try:
            self.caller.close()
        finally:
            os.environ.clear()
            os.environ.update(self._environment)
