"""Makes faults: every small change of a module that its tests should notice.

Left alone are texts for people (docstrings, log records, messages of errors), types, decorators
and assertions.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any, Final

import attrs

__all__ = ["Mutant", "mutants_of"]

_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
#: What a statement without which a test should fail may be.
_REMOVED = (ast.Expr, ast.AugAssign, ast.Assign, ast.Raise, ast.Delete, ast.Continue, ast.Break)
#: Calls whose texts are names for the reader.
_NAMING: Final = frozenset({"TypeVar", "NewType", "cast", "getLogger", "Logger"})


@attrs.frozen
class Mutant:
    """A module with one fault.

    Attributes:
        path: The module, from the top of the repository.
        line: Where the fault is.
        kind: What was done.
        before: The text that was changed.
        after: What stands in its place.
        source: The whole module with the fault.
    """

    path: str
    line: int
    kind: str
    before: str
    after: str
    source: bytes = attrs.field(repr=False)

    @property
    def name(self) -> str:
        """What tells it from all others of the same source."""
        return f"{self.path}:{self.line}: {self.kind}: {self.before!r} -> {self.after!r}"


class _Finder:
    """Walks a module and collects places with what may stand there instead."""

    def __init__(self) -> None:
        self.found: list[tuple[ast.AST, str, str]] = []

    def add(self, node: ast.AST, kind: str, other: ast.AST) -> None:
        """Take a note of a fault."""
        text = ast.unparse(ast.fix_missing_locations(other))
        self.found.append((node, kind, f"({text})" if isinstance(other, ast.expr) else text))

    def walk(self, node: ast.AST, *, with_texts: bool = True) -> None:
        """Look at a node and what is in it."""
        if isinstance(node, ast.expr):
            self._expression(node, with_texts)
        elif isinstance(node, ast.stmt):
            self._statement(node)
        for child, is_text in _children(node):
            self.walk(child, with_texts=with_texts and is_text)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.If(test=ast.Name("TYPE_CHECKING")):
                pass
            case ast.If(test=test) | ast.While(test=test) if not isinstance(test, ast.Constant):
                self.add(test, "condition negated", ast.UnaryOp(ast.Not(), copy.deepcopy(test)))
            case ast.Return(value=ast.expr() as value) if not _is_none(value):
                self.add(node, "None returned", ast.Return(ast.Constant(None)))
            case _ if isinstance(node, _REMOVED) and _can_go(node):
                self.add(node, "statement removed", ast.Pass())
            case _:
                pass

    def _expression(self, node: ast.expr, with_texts: bool) -> None:
        match node:
            case ast.Compare(ops=[operator]) if type(operator) in _COMPARISONS:
                self._put(node, "comparison", ops=[_COMPARISONS[type(operator)]()])
            case ast.BoolOp(op=operator):
                other = ast.Or() if isinstance(operator, ast.And) else ast.And()
                self._put(node, "and for or", op=other)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.add(node, "not left out", copy.deepcopy(operand))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self.add(node, "sign", copy.deepcopy(operand))
            case ast.IfExp(test=test):
                self.add(test, "condition negated", ast.UnaryOp(ast.Not(), copy.deepcopy(test)))
            case ast.BinOp(op=operator) if type(operator) in _ARITHMETIC:
                self._put(node, "arithmetic", op=_ARITHMETIC[type(operator)]())
            case ast.Call(func=ast.Name("min" | "max" as name)):
                other_name = "max" if name == "min" else "min"
                self._put(node, "min for max", func=ast.Name(other_name))
            case ast.Constant():
                self._constant(node, with_texts)
            case _:
                pass

    def _constant(self, node: ast.Constant, with_texts: bool) -> None:
        match node.value:
            case bool() as value:
                self.add(node, "constant", ast.Constant(not value))
            case int() as value:
                self.add(node, "one more", ast.Constant(value + 1))
                if value:
                    self.add(node, "one less", ast.Constant(value - 1))
            case float() as value:
                self.add(node, "constant", ast.Constant(value * 2 + 1))
            case str() | bytes() as value if value and with_texts:
                other = value + "X" if isinstance(value, str) else value + b"X"
                self.add(node, "constant", ast.Constant(other))
            case _:
                pass

    def _put(self, node: ast.expr, kind: str, **changed: Any) -> None:
        other = copy.deepcopy(node)
        for name, value in changed.items():
            setattr(other, name, value)
        self.add(node, kind, other)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _can_go(node: ast.stmt) -> bool:
    """Return whether a statement may be left out without that a name is missing."""
    match node:
        case ast.Expr(value=ast.Constant() | ast.Yield() | ast.YieldFrom() | ast.Await()):
            return False
        case ast.Expr(value=ast.Call(func=called)):
            return _called(called) not in ("debug", "info")
        case ast.Assign(targets=targets):
            return all(isinstance(target, (ast.Attribute, ast.Subscript)) for target in targets)
        case _:
            return True


def _called(node: ast.expr) -> str:
    """Return the last name of what is called."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _children(node: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """Yield what is in a node and may be changed, and whether its texts may be, too."""
    match node:
        case ast.Assert() | ast.Import() | ast.ImportFrom() | ast.JoinedStr():
            return
        case ast.If(test=ast.Name("TYPE_CHECKING")):
            return
        case ast.Assign(targets=[ast.Name("__all__" | "__slots__" | "_telling")]):
            return
        case ast.AnnAssign(annotation=ast.Name("TypeAlias")):
            return
        case ast.AnnAssign(value=ast.expr() as value):
            yield value, True
        case ast.FunctionDef(args=arguments, body=body):
            for default in (*arguments.defaults, *arguments.kw_defaults):
                if default is not None:
                    yield default, True
            yield from ((statement, True) for statement in _without_docstring(body))
        case ast.ClassDef(body=body):
            yield from ((statement, True) for statement in _without_docstring(body))
        case ast.Module(body=body):
            yield from ((statement, True) for statement in _without_docstring(body))
        case ast.Raise():
            yield from ((child, False) for child in ast.iter_child_nodes(node))
        case ast.Call(func=called):
            name = _called(called)
            is_for_people = name.endswith(("Error", "Malformed", "interrupted"))
            is_log = isinstance(called, ast.Attribute) and _called(called.value) == "logger"
            texts = not (is_for_people or is_log or name in _NAMING)
            yield from ((child, texts) for child in ast.iter_child_nodes(node))
        case ast.AnnAssign() | ast.arguments():
            return
        case _:
            yield from ((child, True) for child in ast.iter_child_nodes(node))


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(str())), *rest]:
            return rest
        case _:
            return body


def mutants_of(path: str, source: bytes) -> list[Mutant]:
    """Return every mutant of a module, in the order of its text.

    Args:
        path: The module, from the top of the repository.
        source: Its text.
    """
    finder = _Finder()
    finder.walk(ast.parse(source))
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    mutants = []
    for node, kind, after in finder.found:
        place: Any = node  # only what has a place is noted
        begin = starts[place.lineno - 1] + place.col_offset
        end = starts[place.end_lineno - 1] + place.end_col_offset
        before = source[begin:end]
        changed = source[:begin] + after.encode() + source[end:]
        mutants.append(Mutant(path, place.lineno, kind, before.decode(), after, changed))
    return mutants
