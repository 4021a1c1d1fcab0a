"""Values made for a schema, judged by jsonschema."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoclient.testing.merging import merge
from evoclient.testing.schema import UnsupportedSchemaError, instance

jsonschema = pytest.importorskip("jsonschema", reason="the values are judged by jsonschema")

Schema = dict[str, Any]


def check(schema: Any, *, seed: int = 0, about: str = "") -> Any:
    """Make a value and have it validated, formats included."""
    value = instance(schema, seed=seed, about=about)
    judge = jsonschema.Draft202012Validator
    judge(schema, format_checker=judge.FORMAT_CHECKER).validate(value)
    return value


@st.composite
def strings(draw: st.DrawFn) -> Schema:
    """Schemas of strings."""
    low = draw(st.integers(0, 40))
    options: Schema = {"minLength": low, "maxLength": low + draw(st.integers(0, 40))}
    return {"type": "string", **{k: v for k, v in options.items() if draw(st.booleans())}}


@st.composite
def numbers(draw: st.DrawFn) -> Schema:
    """Schemas of numbers with room between their bounds."""
    low = draw(st.integers(-1000, 1000))
    options: Schema = {
        draw(st.sampled_from(["minimum", "exclusiveMinimum"])): low,
        draw(st.sampled_from(["maximum", "exclusiveMaximum"])): low + draw(st.integers(20, 99)),
        "multipleOf": draw(st.integers(1, 9)),
    }
    kind = draw(st.sampled_from(["integer", "number"]))
    return {"type": kind, **{k: v for k, v in options.items() if draw(st.booleans())}}


PLAIN = st.one_of(
    strings(),
    numbers(),
    st.sampled_from(
        [
            {"type": "boolean"},
            {"type": "null"},
            {"const": {"a": [1, None]}},
            {"enum": ["red", 2, None, ["x"]]},
            {"type": ["string", "null"]},
            {"type": "string", "format": "date-time"},
            {"type": "string", "format": "uuid"},
            {"type": "string", "pattern": "^[a-z]+$"},
            {},
            True,
        ]
    ),
)


def nested(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Arrays, objects and choices of smaller schemas."""
    names = st.text("abcdef", min_size=1, max_size=3)
    members = st.dictionaries(names, children, max_size=4)
    objects = st.builds(
        lambda fields, closed, flags: {
            "type": "object",
            "properties": fields,
            "required": [name for name, flag in zip(fields, flags, strict=False) if flag],
            "additionalProperties": not closed,
        },
        members,
        st.booleans(),
        st.lists(st.booleans(), min_size=4, max_size=4),
    )
    arrays = st.builds(
        lambda items, least, extra: {
            "type": "array",
            "items": items,
            "minItems": least,
            "maxItems": least + extra,
        },
        children,
        st.integers(0, 3),
        st.integers(0, 3),
    )
    choices = st.builds(lambda a, b: {"anyOf": [a, b]}, children, children)
    both = st.builds(
        lambda a, b: {
            "allOf": [{"properties": {"x": a}, "required": ["x"]}, b | {"additionalProperties": {}}]
        },
        children,
        objects,
    )
    return st.one_of(objects, arrays, choices, both)


@given(schema=st.recursive(PLAIN, nested, max_leaves=8), seed=st.integers(0, 50))
def test_values_validate(schema: Any, seed: int) -> None:
    """Whatever is nested in whatever, the value made validates."""
    if isinstance(schema, dict):
        check(schema, seed=seed, about="Tell me about Oslo, 12 times, in red")


@given(left=numbers(), right=numbers())
def test_merged_bounds_hold_for_both(left: Schema, right: Schema) -> None:
    """A value of a merged schema fits both sides, if there is one at all."""
    try:
        value = instance(merge(left, right))
    except UnsupportedSchemaError:
        return
    jsonschema.validate(value, left)
    jsonschema.validate(value, right)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
        {"type": "number", "multipleOf": 0.1, "minimum": 0.25},
        {"type": "integer", "multipleOf": 2.5},
        {"type": "integer", "maximum": -5},
        {"type": "array", "uniqueItems": True, "minItems": 9, "items": {"type": "integer"}},
        {"type": "array", "uniqueItems": True, "minItems": 9, "items": {"type": "string"}},
        {"type": "array", "uniqueItems": True, "minItems": 3, "items": {"enum": ["a", "b", "c"]}},
        {"type": "array", "prefixItems": [{"type": "string"}, {"const": 2}], "items": False},
        {"type": "object", "minProperties": 3, "additionalProperties": {"type": "integer"}},
        {"properties": {"a": {}, "b": {}, "c": {}}, "required": ["c"], "maxProperties": 1},
        {"required": ["name"]},
        {"items": {"type": "string", "minLength": 60}},
        {"minimum": 3},
        {"allOf": [{"type": ["string", "null"]}, {"type": "string", "enum": ["x", "y"]}]},
        {"allOf": [{"enum": ["x", "y"]}, {"enum": ["y", "z"]}]},
        {"allOf": [{"const": 1}, {"const": 1}]},
        {"allOf": [{"title": "a", "type": "null"}, {"title": "b"}]},
        {"allOf": [{"type": "number"}, {"type": "integer"}]},
        {"allOf": [{"multipleOf": 0.5, "type": "number"}, {"multipleOf": 0.2}]},
        {"allOf": [{"properties": {"a": True}}, {"properties": {"a": {"type": "null"}}}]},
        {"allOf": [{"properties": {"a": {}}}, {"additionalProperties": {"type": "integer"}}]},
        {"allOf": [{"properties": {"a": {}}}, {"additionalProperties": False}]},
        {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        {"type": "integer", "anyOf": [False, {"type": "string"}, {"minimum": 5}]},
        {"$defs": {"a/b": {"type": "null"}}, "$ref": "#/$defs/a~1b"},
    ],
    ids=str,
)
def test_keywords(schema: Schema) -> None:
    """Each of these schemas gets a value that validates, for several seeds."""
    for seed in range(8):
        check(schema, seed=seed)


@pytest.mark.parametrize("name", ["date", "time", "email", "ipv4", "ipv6", "uri", "hostname"])
def test_formats(name: str) -> None:
    """A format gets a string in that format."""
    check({"type": "string", "format": name})


def test_recursion_ends() -> None:
    """A schema that refers to itself gets a value of some depth that validates."""
    node = {
        "type": "object",
        "properties": {
            "value": {"type": "integer"},
            "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
        },
        "required": ["value", "next", "children"],
    }
    value = check({"$defs": {"node": node}, "$ref": "#/$defs/node"})
    assert value["next"]["next"] is not None


def test_a_nullable_recursion_ends() -> None:
    """A list of types that allows null ends a recursion, too."""
    check({"type": ["object", "null"], "properties": {"a": {"$ref": "#"}}, "required": ["a"]})


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"allOf": [False]},
        {"type": "string", "pattern": "^(never){9}$"},
        {"type": "string", "format": "date", "maxLength": 3},
        {"type": "integer", "minimum": 5, "maximum": 4},
        {"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2},
        {"allOf": [{"type": "string"}, {"type": "null"}]},
        {"allOf": [{"enum": [1]}, {"enum": [2]}]},
        {"allOf": [{"const": 1}, {"const": 2}]},
        {"type": "null", "anyOf": [{"type": "string"}]},
        {"allOf": [{"required": ["x"]}, {"additionalProperties": False}]},
        {"properties": {"a": {}}, "required": ["a"], "allOf": [{"additionalProperties": False}]},
        {"$ref": "#/$defs/missing"},
        {"$ref": "https://example.com/other.json"},
        {"$ref": "#"},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"type": "array", "uniqueItems": True, "minItems": 3, "items": {"type": "boolean"}},
    ],
    ids=str,
)
def test_the_impossible_is_said(schema: Any) -> None:
    """A schema without a value, or beyond the generator, raises instead of giving a wrong value."""
    with pytest.raises(UnsupportedSchemaError):
        instance(schema)


def test_the_question_is_heard() -> None:
    """Names, numbers and options the question mentions are taken over."""
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer", "minimum": 1},
            "unit": {"enum": ["celsius", "fahrenheit"]},
        },
    }
    about = "What is the weather in New York for 3 days, in Fahrenheit?"
    assert check(schema, about=about) == {"city": "New York", "days": 3, "unit": "fahrenheit"}


def test_the_same_twice() -> None:
    """Equal arguments give equal values; another seed gives another value."""
    schema = {"type": "array", "items": {"type": "string"}}
    assert instance(schema, seed=3) == instance(schema, seed=3) != instance(schema, seed=4)
