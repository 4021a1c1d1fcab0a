"""The faults that are made are those that tests should notice, and no others."""

from __future__ import annotations

import ast

import pytest

from . import tables
from .changes import mutants_of

#: One expression or statement, and what may stand in its place.
FAULTS: dict[str, set[tuple[str, str]]] = {
    "x = a < b": {("a < b", "(a <= b)")},
    "x = a is not b": {("a is not b", "(a is b)")},
    "x = a and b": {("a and b", "(a or b)")},
    "x = not a": {("not a", "(a)")},
    "x = a + b": {("a + b", "(a - b)")},
    "x = -a": {("-a", "(a)")},
    "x = min(a, b)": {("min(a, b)", "(max(a, b))")},
    "x = 3": {("3", "(4)"), ("3", "(2)")},
    "x = 0": {("0", "(1)")},
    "x = True": {("True", "(False)")},
    "x = 'é'": {("'é'", "('éX')")},
    "x: int = 0": {("0", "(1)")},
    "if a: b = c": {("a", "(not a)")},
    "x = 'é' if a else b": {("a", "(not a)"), ("'é'", "('éX')")},
    "f(a)": {("f(a)", "pass")},
    "a.b = c": {("a.b = c", "pass")},
    "a += b": {("a += b", "pass")},
    "def f(a=1): return a": {
        ("1", "(2)"),
        ("1", "(0)"),
        ("return a", "return None"),
    },
    "raise E('words')": {("raise E('words')", "pass")},
    "logger.warning('words')": {("logger.warning('words')", "pass")},
}
#: What is left alone.
SOUND = [
    "'''Words.'''",
    "def f() -> 'Words':\n    '''Words.'''\n    return None",
    "class C:\n    '''Words.'''\n    a: 'Words'",
    "import a",
    "__all__ = ['a']",
    "T = TypeVar('T')",
    "X: TypeAlias = 'Words'",
    "assert a == 1, 'words'",
    "x = f'words {a + 1}'",
    "@attrs.frozen(kw_only=True)\nclass C: a: int",
    "logger.debug('words')",
    "x = BadError('words')",
    "if TYPE_CHECKING:\n    x = 1",
]


@pytest.mark.parametrize("source", FAULTS)
def test_faults(source: str) -> None:
    """Each kind of expression and statement has its faults, at its own place."""
    mutants = mutants_of("m.py", f"# ä\n{source}\n".encode())
    assert {(mutant.before, mutant.after) for mutant in mutants} == FAULTS[source]
    for mutant in mutants:
        assert mutant.source.decode() == f"# ä\n{source}\n".replace(mutant.before, mutant.after, 1)


@pytest.mark.parametrize("source", SOUND)
def test_what_is_left_alone(source: str) -> None:
    """Texts for people, types, decorators and assertions have no faults."""
    assert mutants_of("m.py", f"{source}\n".encode()) == []


@pytest.mark.parametrize("module", ["evoclient/retry.py", "evoclient/streaming/sse.py"])
def test_mutants_are_python(module: str) -> None:
    """What is tried can be read, and differs from the module."""
    source = (tables.REPOSITORY / module).read_bytes()
    sound = ast.dump(ast.parse(source))
    mutants = mutants_of(module, source)
    assert len(mutants) > 50
    for mutant in mutants[::9]:
        assert ast.dump(ast.parse(mutant.source)) != sound


def test_every_module_has_its_tests() -> None:
    """The table names files that are there, and knows some for each module."""
    for module in tables.modules():
        tests = tables.tests_of(module)
        assert tests
        assert [name for name in tests if not (tables.REPOSITORY / name).exists()] == []
