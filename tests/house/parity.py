"""Compare what the two colours show their users: the same names, the same arguments."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from functools import cached_property
from types import ModuleType

# What the async colour has to call differently, and what it is compared with.
TWINS = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    # An async generator's word, which AsyncStream has beside OpenAI's `close`.
    "aclose": "close",
}
# Members that one colour alone may have, each with its reason.
ONE_COLOUR_ONLY: dict[str, str] = {
    "__del__": "what is warned about differs: a coroutine cannot be awaited there",
}
# Arguments whose default may differ, each with its reason.
DEFAULTS_OF_A_COLOUR: dict[str, str] = {
    "transport": "each colour names its own library",
}
_SPECIAL = {*TWINS, *TWINS.values(), "__call__", "__len__", "__getitem__"}


def pairs(sync: ModuleType, aio: ModuleType) -> Iterator[tuple[str, object, object]]:
    """Pair what two modules of the same name define; what has no twin is paired with None."""
    in_sync = _defined(sync)
    in_aio = {name.removeprefix("Async"): thing for name, thing in _defined(aio).items()}
    for name in sorted(in_sync.keys() | in_aio.keys()):
        yield name, in_sync.get(name), in_aio.get(name)


def differences(name: str, sync: object, aio: object) -> list[str]:
    """Say where two twins differ beyond their colour."""
    if sync is None or aio is None:
        return [f"{name} is missing in {'sync' if sync is None else 'aio'}"]
    if not (isinstance(sync, type) and isinstance(aio, type)):
        return _different_arguments(name, sync, aio)
    in_sync = _members(sync)
    in_aio = {TWINS.get(member, member): thing for member, thing in _members(aio).items()}
    bad = []
    for member in sorted(in_sync.keys() | in_aio.keys()):
        if member in in_sync and member in in_aio:
            bad += _different_members(f"{name}.{member}", in_sync[member], in_aio[member])
        elif member not in ONE_COLOUR_ONLY:
            missing = "aio" if member in in_sync else "sync"
            bad.append(f"{name}.{member} is missing in {missing}")
    return bad + _different_arguments(name, sync, aio)


def _defined(module: ModuleType) -> dict[str, object]:
    """Return the public classes and functions a module defines itself."""
    return {
        name: thing
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and (isinstance(thing, type) or inspect.isfunction(thing))
        and thing.__module__ == module.__name__
    }


def _members(owner: type) -> dict[str, object]:
    """Return the members of a class that its users see."""
    inherited = set(dir(object)) | set(dir(Exception) if issubclass(owner, Exception) else ())
    return {
        name: inspect.getattr_static(owner, name)
        for name in dir(owner)
        if name not in inherited
        and (not name.startswith("_") or name in _SPECIAL or name in ONE_COLOUR_ONLY)
    }


def _different_members(name: str, sync: object, aio: object) -> list[str]:
    """Compare two members: methods by their arguments, everything else by being the same kind."""
    plain = (property, cached_property, staticmethod, classmethod)
    for kind in plain:
        if isinstance(sync, kind) != isinstance(aio, kind):
            return [f"{name} is {_kind(sync)} in sync and {_kind(aio)} in aio"]
    if isinstance(sync, staticmethod | classmethod) and isinstance(aio, staticmethod | classmethod):
        return _different_arguments(name, sync.__func__, aio.__func__)
    if inspect.isfunction(sync) and inspect.isfunction(aio):
        return _different_arguments(name, sync, aio)
    return []


def _kind(thing: object) -> str:
    """Name the kind of a member."""
    return type(thing).__name__


def _different_arguments(name: str, sync: object, aio: object) -> list[str]:
    """Compare the arguments of two callables, and of their overloads one by one."""
    if _arguments(sync) != _arguments(aio):
        return [f"{name}{_arguments(sync)} in sync is {name}{_arguments(aio)} in aio"]
    if not (inspect.isfunction(sync) and inspect.isfunction(aio)):
        return []
    in_sync, in_aio = typing.get_overloads(sync), typing.get_overloads(aio)
    if [_arguments(one) for one in in_sync] != [_arguments(one) for one in in_aio]:
        return [f"the overloads of {name} differ"]
    return []


def _arguments(thing: object) -> list[tuple[str, str, str]]:
    """Return names, kinds and defaults of what a callable takes."""
    if not callable(thing):
        return []
    call: Callable[..., object] = thing
    try:
        signature = inspect.signature(call)
    except ValueError:  # a class without a constructor of its own, on some Pythons
        return []
    return [
        (each.name, each.kind.name, "" if each.name in DEFAULTS_OF_A_COLOUR else repr(each.default))
        for each in signature.parameters.values()
    ]
