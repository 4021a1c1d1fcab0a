"""Making one readable value that validates against a JSON schema.

The demo server answers structured requests and calls tools with it. The value is deterministic:
the same schema, seed and question give the same value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .merging import Schema, UnsupportedSchemaError, merge
from .samples import WORDS, number, text

__all__ = ["UnsupportedSchemaError", "instance"]

# Below this depth only what is required is made, so that schemas which refer to themselves end.
_DEEP = 4
# A required recursion without an end has no finite value; this is where we notice it.
_TOO_DEEP = 40

# An enumeration or a small range has few values, and neighbours may repeat them.
_TRIES = 100

_WORD = re.compile(r"\w+", re.UNICODE)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?!\w)")
_NAME = re.compile(r"(?<=[\w,] )[A-ZА-ЯЁ][\w'-]+(?: [A-ZА-ЯЁ][\w'-]+)*")


def instance(schema: Schema | bool, *, seed: int = 0, about: str = "") -> Any:
    """Return a value that validates against the schema.

    Args:
        schema: A JSON schema, draft 2020-12 or draft 7: types, properties, arrays, enumerations,
            constants, bounds, lengths, formats, ``allOf``, ``anyOf``, ``oneOf`` and local ``$ref``.
        seed: Another seed chooses other samples.
        about: The question being answered: its proper names, numbers and the options it mentions
            are preferred, so that "the weather in Oslo" asks for the weather in Oslo.

    Raises:
        UnsupportedSchemaError: No value fits, or the generator cannot make one.
    """
    return _Maker(schema, seed, about).make(schema, name="", depth=0)


class _Maker:
    """One walk through one schema; counts the values made, so that neighbours differ."""

    def __init__(self, root: Schema | bool, seed: int, about: str) -> None:
        self._root = root
        self._seed = seed
        self._attempt = 0  # above 0 while another item is wanted for a list of different ones
        self._names = tuple(_NAME.findall(about))
        self._numbers = tuple(_NUMBER.findall(about))
        self._mentioned = {word.lower() for word in _WORD.findall(about)}
        self._kinds: dict[str, Callable[[Schema, str, int], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": lambda _schema, _name, _depth: self._next() % 2 == 0,
            "null": lambda _schema, _name, _depth: None,
        }

    def make(self, schema: Schema | bool, *, name: str, depth: int) -> Any:
        if depth > _TOO_DEEP:
            raise UnsupportedSchemaError("the schema requires a value without an end")
        if schema is False:
            raise UnsupportedSchemaError("nothing fits the schema `false`")
        if schema is True:
            return WORDS[self._next() % len(WORDS)]
        plain = self._resolve(schema, depth)
        if "const" in plain:
            return plain["const"]
        if "enum" in plain:
            return self._choose(plain["enum"])
        return self._kinds[self._kind(plain, depth)](plain, name, depth)

    def _next(self) -> int:
        self._seed += 1
        return self._seed - 1

    def _resolve(self, schema: Schema, depth: int) -> Schema:
        """Fold references and combinations into plain keywords."""
        plain = dict(schema)
        for _ in range(_TOO_DEEP):
            if "$ref" in plain:
                reference = plain.pop("$ref")
                plain = merge(plain, _as_dict(self._look_up(reference)))
            elif "allOf" in plain:
                for part in plain.pop("allOf"):
                    plain = merge(plain, _as_dict(part))
            elif "anyOf" in plain or "oneOf" in plain:
                plain = self._branch(plain, plain.pop("anyOf", None) or plain.pop("oneOf"), depth)
            else:
                return plain
        raise UnsupportedSchemaError("the schema refers to itself without an end")

    def _look_up(self, reference: str) -> Schema | bool:
        if not reference.startswith("#"):
            raise UnsupportedSchemaError(f"only local references are followed, not {reference!r}")
        found: Any = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            try:
                found = found[step.replace("~1", "/").replace("~0", "~")]
            except (KeyError, TypeError):
                raise UnsupportedSchemaError(f"{reference!r} leads nowhere") from None
        result: Schema | bool = found
        return result

    def _branch(self, base: Schema, branches: list[Schema | bool], depth: int) -> Schema:
        """Take the first branch that agrees with the rest of the schema."""
        order = sorted(branches, key=_weight) if depth >= _DEEP else branches
        for branch in order:
            try:
                return merge(base, _as_dict(branch))
            except UnsupportedSchemaError:
                continue
        raise UnsupportedSchemaError("no branch of anyOf or oneOf fits the rest of the schema")

    def _choose(self, options: list[Any]) -> Any:
        for option in options:
            if isinstance(option, str) and option.lower() in self._mentioned:
                return option
        return options[self._next() % len(options)]

    def _kind(self, schema: Schema, depth: int) -> str:
        types = schema.get("type")
        if isinstance(types, str):
            types = [types]
        if types:
            return "null" if depth >= _DEEP and "null" in types else types[0]
        for keywords, kind in _TELLING:
            if keywords & schema.keys():
                return kind
        return "string"

    def _object(self, schema: Schema, _name: str, depth: int) -> Schema:
        declared = schema.get("properties", {})
        wanted = list(schema.get("required", ()))
        if depth < _DEEP:
            wanted = [name for name in declared if declared[name] is not False or name in wanted]
            wanted += [name for name in schema.get("required", ()) if name not in declared]
        room = max(schema.get("maxProperties", len(wanted)), len(schema.get("required", ())))
        required = schema.get("required", ())
        optional = [name for name in wanted if name not in required][: room - len(required)]
        kept = [name for name in wanted if name in required or name in optional]
        extra = schema.get("additionalProperties", True)
        for count in range(schema.get("minProperties", 0) - len(kept)):
            kept.append(f"extra_{count + 1}")
        return {
            name: self.make(declared.get(name, extra), name=name, depth=depth + 1) for name in kept
        }

    def _array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        first = schema.get("prefixItems", [])
        rest = schema.get("items", True)
        usual = max(len(first), 0 if depth >= _DEEP or rest is False else 2)
        size = max(schema.get("minItems", 0), min(usual, schema.get("maxItems", usual)))
        made: list[Any] = []
        for index in range(size):
            part = first[index] if index < len(first) else rest
            made.append(self._another(part, made, name, depth, bool(schema.get("uniqueItems"))))
        return made

    def _another(self, part: Any, made: list[Any], name: str, depth: int, unique: bool) -> Any:
        for attempt in range(_TRIES):
            self._attempt = attempt
            value = self.make(part, name=name.removesuffix("s"), depth=depth + 1)
            self._attempt = 0
            if not unique or value not in made:
                return value
        raise UnsupportedSchemaError("not enough different items")

    def _string(self, schema: Schema, name: str, _depth: int) -> str:
        hints = () if self._attempt else self._names
        return text(schema, name=name, seed=self._next(), hints=hints, serial=self._attempt)

    def _integer(self, schema: Schema, _name: str, _depth: int) -> int | float:
        return self._figure(schema, whole=True)

    def _number(self, schema: Schema, _name: str, _depth: int) -> int | float:
        return self._figure(schema, whole=False)

    def _figure(self, schema: Schema, *, whole: bool) -> int | float:
        hints = () if self._attempt else self._numbers
        return number(schema, whole=whole, seed=self._next(), hints=hints)


# Without a type, a keyword tells what the author had in mind.
_TELLING: tuple[tuple[set[str], str], ...] = (
    ({"properties", "required", "additionalProperties", "minProperties"}, "object"),
    ({"items", "prefixItems", "minItems"}, "array"),
    ({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}, "number"),
)


def _as_dict(schema: Schema | bool) -> Schema:
    if schema is False:
        raise UnsupportedSchemaError("nothing fits the schema `false`")
    return {} if schema is True else schema


def _weight(branch: Schema | bool) -> int:
    """Order branches by how surely they end: null and plain values, then lists, then the rest."""
    kind = branch.get("type") if isinstance(branch, dict) else "string"
    return {"null": 0, "object": 3, "array": 2, None: 4}.get(str(kind) if kind else None, 1)
