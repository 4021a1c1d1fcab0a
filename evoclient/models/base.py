"""The base of all records: typed reading over the JSON object exactly as the server sent it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar, cast

import attrs

from ..ground import elide
from .codec import HasDict, dumps, plain
from .fields import Field, adopt

__all__ = ["Record", "record"]

#: The most characters of one value in a repr: records are looked at in logs and notebooks.
_SHOWN = 80


class Record(HasDict):
    """A JSON object of a server, with typed fields.

    A record is slots over the raw object. A field is read on first use and kept in its slot, so a
    record costs little until it is looked at. Missing fields are None (lists that are always
    there: empty), fields of a wrong type are what was sent, and a field that the record does not
    know is an attribute all the same: a copy of what was sent, at each use. A known field can be
    assigned. Two records are equal when their classes and their `to_dict` are.

    Made by hand, a record takes its fields as keywords: ``ChatMessage(role="user", content="hi")``.
    """

    __slots__ = ("_raw",)
    _raw: dict[str, Any]
    _fields: ClassVar[Mapping[str, Field]] = {}
    _telling: ClassVar[tuple[str, ...]] = ("id",)

    def __init__(self, **fields: Any) -> None:
        """Take fields, known or not, as they shall stand in the JSON object."""
        self._raw = plain(fields)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Return a record over a copy of a JSON object, of whatever shape."""
        return adopt(cls, plain(raw))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object as it was sent, with what was assigned since.

        It shares nothing with the record.
        """
        raw = self._raw
        out = dict(raw)
        for name, field in self._fields.items():
            try:
                value = object.__getattribute__(self, name)
            except AttributeError:  # never used: as it was sent
                continue
            field.write(raw, out, value)
        for key, value in raw.items():
            if out[key] is value:
                out[key] = plain(value)
        return out

    def to_json(self, *, indent: int | None = None) -> str:
        """Return `to_dict` as JSON, in one line or indented by so many spaces.

        NaN and Infinity, which are not JSON but which servers send, stay as they came.
        """
        return dumps(self.to_dict(), allow_nan=True, indent=indent).decode()

    def model_dump(self, *, exclude_none: bool = False) -> dict[str, Any]:
        """Do as `to_dict`, by the name that pydantic's users know.

        Args:
            exclude_none: Leave out members that are null, at every level.
        """
        out = self.to_dict()
        return _without_none(out) if exclude_none else out

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """Do as `to_json`, by the name that pydantic's users know."""
        return self.to_json(indent=indent)

    def __getattr__(self, name: str) -> Any:
        """Fill a slot on its first use, or return a field that the record does not know."""
        if name == "_raw" or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(name)  # asked by copy and pickle, while there is nothing yet
        field = self._fields.get(name)
        if field is not None:
            value = field.read(self._raw)
            setattr(self, name, value)
            return value
        try:
            return self._sent(name)
        except KeyError:
            pass
        raise AttributeError(
            f"{type(self).__name__} has no field {name!r}, and the server sent none of that name; "
            f"it sent {', '.join(map(str, self._raw)) or 'an empty object'}."
        )

    def _sent(self, name: str) -> Any:
        """Return a field that the record does not know; KeyError where there is none."""
        return plain(self._raw[name])

    def __eq__(self, other: object) -> bool:
        """Compare class and content."""
        if type(other) is not type(self):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # records can be changed

    def __repr__(self) -> str:
        """Show the class and a few telling fields, long ones cut."""
        found = [(name, getattr(self, name, None)) for name in self._telling]
        shown = ", ".join(f"{k}={elide(repr(v), _SHOWN)}" for k, v in found if v is not None)
        return f"{type(self).__name__}({shown})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy as the JSON object and what stands beside it."""
        slots = {name: getattr(self, name) for name in self._beside()}
        return _revived, (type(self), self.to_dict(), slots)

    @classmethod
    def _beside(cls) -> list[str]:
        return [name for name, field in cls._fields.items() if field.is_beside]


def _revived(kind: type[Record], raw: dict[str, Any], slots: dict[str, Any]) -> Record:
    made = adopt(kind, raw)
    for name, value in slots.items():
        setattr(made, name, value)
    return made


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return value


R = TypeVar("R", bound=Record)


def record(kind: type[R]) -> type[R]:
    """Make a class of declared fields a slotted record."""
    made: type[R] = attrs.define(
        kind, slots=True, init=False, eq=False, repr=False, weakref_slot=False
    )
    fields: dict[str, Field] = {}
    for attribute in attrs.fields(cast(Any, made)):
        field: Field = attribute.metadata["field"]
        field.name = attribute.name
        fields[attribute.name] = field
    made._fields = fields
    return made
