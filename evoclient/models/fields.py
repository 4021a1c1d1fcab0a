"""The kinds of fields of a record: how each is read from raw JSON, and written back.

A field is read once, on first use, from the record's raw mapping, and its value is kept in a slot.
Reading never raises, and never hands out a list or mapping of the raw one: many chunks of a stream
may share that. Writing puts a value that was assigned in the place of the raw one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import attrs

from .codec import HasDict, plain

__all__ = ["Field", "adopt", "beside", "converted", "many", "one", "stored", "value"]

Raw = dict[str, Any]
R = TypeVar("R")


class Field:
    """A value that is read as it was sent, whatever its type; None where there is none."""

    __slots__ = ("name",)
    name: str
    #: Whether pickle and copy take the value along beside the JSON object.
    is_beside: ClassVar[bool] = False

    def read(self, raw: Raw) -> Any:
        """Return the field's value."""
        return plain(raw.get(self.name))

    def write(self, raw: Raw, out: Raw, value: Any) -> None:
        """Put the slot's value into `out`, which begins as a copy of `raw`, where they differ."""
        if value is not None or self.name in raw:
            out[self.name] = plain(value)


class _Converted(Field):
    """A value whose reading differs from what was sent; written only when it was changed."""

    __slots__ = ("_key", "_read")

    def __init__(self, read: Callable[[Raw], Any], key: Callable[[Raw], str] | None) -> None:
        self._read = read
        self._key = key

    def read(self, raw: Raw) -> Any:
        return self._read(raw)

    def write(self, raw: Raw, out: Raw, value: Any) -> None:
        read = self._read(raw)
        if value is not read and (type(value) is not type(read) or value != read):
            out[self._key(raw) if self._key else self.name] = plain(value)


class _One(Field):
    """A record over one object."""

    __slots__ = ("_always", "_find", "_kind")

    def __init__(self, kind: type, always: bool, find: Callable[[Raw], Any] | None) -> None:
        self._kind = kind
        self._always = always
        self._find = find

    def _source(self, raw: Raw) -> Raw | None:
        found = self._find(raw) if self._find else raw.get(self.name)
        return found if type(found) is dict else None

    def read(self, raw: Raw) -> Any:
        source = self._source(raw)
        if source is None:
            return adopt(self._kind, {}) if self._always else None
        return adopt(self._kind, source)

    def write(self, raw: Raw, out: Raw, value: Any) -> None:
        new, source = plain(value), self._source(raw)
        # What was not an object reads as None, or as an empty record: unchanged, it stays.
        if new != source and not (source is None and not new):
            out[self.name] = new


class _Many(Field):
    """A list of records. What is no object in it has no record, but stays in `to_dict`."""

    __slots__ = ("_always", "_kind")

    def __init__(self, kind: type, always: bool) -> None:
        self._kind = kind
        self._always = always

    def read(self, raw: Raw) -> Any:
        found = raw.get(self.name)
        if type(found) is not list:
            return [] if self._always else None
        return [adopt(self._kind, item) for item in found if type(item) is dict]

    def write(self, raw: Raw, out: Raw, value: Any) -> None:
        found = raw.get(self.name)
        sources = [item for item in found if type(item) is dict] if type(found) is list else []
        if type(value) is list and _stand_for(value, sources):
            if type(found) is list:
                records = iter(value)
                out[self.name] = [
                    next(records).to_dict() if type(item) is dict else plain(item) for item in found
                ]
        elif value is not None or type(found) is list:
            out[self.name] = plain(value)


def _stand_for(records: list[Any], sources: list[Raw]) -> bool:
    """Say whether the records are the ones read from these objects, none added or gone."""
    return len(records) == len(sources) and all(
        isinstance(record, HasDict) and getattr(record, "_raw", None) is source
        for record, source in zip(records, sources, strict=True)
    )


class _Beside(Field):
    """A value that is not JSON and not in the raw mapping: it is set from outside."""

    __slots__ = ()
    is_beside = True

    def read(self, raw: Raw) -> Any:
        return None

    def write(self, raw: Raw, out: Raw, value: Any) -> None:
        """Leave it out: it is kept by pickle and copy alone."""


class _Live(_Beside):
    """A value beside the JSON that goes on changing: a copy made later is not a copy of it."""

    __slots__ = ()
    is_beside = False


def adopt(kind: type[R], raw: Raw) -> R:
    """Return a record over a mapping that the caller gives away."""
    made = kind.__new__(kind)
    made._raw = raw  # type: ignore[attr-defined]
    return made


def _declared(field: Field) -> Any:
    return attrs.field(metadata={"field": field})


def value() -> Any:
    """Declare a value that is read as it was sent."""
    return _declared(Field())


def converted(read: Callable[[Raw], Any], key: Callable[[Raw], str] | None = None) -> Any:
    """Declare a value that is read by a function.

    Args:
        read: Gets the raw mapping, never raises, and shares no list or mapping with it.
        key: Gets the raw mapping and says under which name an assigned value is written; by
            default the field's own.
    """
    return _declared(_Converted(read, key))


def stored(field: Field) -> Any:
    """Declare a value that is read and written by a field of a kind of its own."""
    return _declared(field)


def one(kind: type, *, always: bool = False, find: Callable[[Raw], Any] | None = None) -> Any:
    """Declare a record over one object.

    Args:
        kind: The record's class.
        always: Read an empty record, not None, where there is no object.
        find: Gets the raw mapping and returns the object, where it has several places.
    """
    return _declared(_One(kind, always, find))


def many(kind: type, *, always: bool = False) -> Any:
    """Declare a list of records.

    Args:
        kind: The class of its elements.
        always: Read an empty list, not None, where there is no list.
    """
    return _declared(_Many(kind, always))


def beside(*, live: bool = False) -> Any:
    """Declare an attribute that is not JSON; None until it is set.

    Args:
        live: Leave it behind in pickle and copy, which else take it along.
    """
    return _declared(_Live() if live else _Beside())
