"""Rules about what stands inside a module. Each returns what breaks the rule."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator

from .floors import MOST_LINES_OF_A_FUNCTION, MOST_LINES_OF_A_MODULE
from .source import Import, Module, Package, imports

Function = ast.FunctionDef | ast.AsyncFunctionDef


def decisions_by_provider_name(package: Package) -> list[str]:
    """Find comparisons of a provider with a literal: the difference belongs in its record."""
    return [
        module.at(node, "decides by the provider's name")
        for module in package
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Compare) and _compares_provider(node))
        or (isinstance(node, ast.Match) and _is_provider(node.subject) and _has_text(node.cases))
    ]


def _compares_provider(node: ast.Compare) -> bool:
    """Whether a provider stands on one side and text on another."""
    sides = [node.left, *node.comparators]
    return any(map(_is_provider, sides)) and _has_text(sides)


def _is_provider(node: ast.expr) -> bool:
    """Whether an expression is `provider`, `….provider`, or the `.name` of one."""
    match node:
        case ast.Name(name) | ast.Attribute(attr=name) if name in ("provider", "_provider"):
            return True
        case ast.Name(name) if name == "provider_name":
            return True
        case ast.Attribute(value=owner, attr="name"):
            return _is_provider(owner)
        case _:
            return False


def _has_text(nodes: Iterable[ast.AST]) -> bool:
    """Whether literal text occurs in some nodes."""
    return any(
        isinstance(inner, ast.Constant) and isinstance(inner.value, str) and inner.value
        for node in nodes
        for inner in ast.walk(node.pattern if isinstance(node, ast.match_case) else node)
    )


def forgotten_flows(package: Package) -> list[str]:
    """Find flows that are made and not run: a bare call, or `yield` without `from`.

    A type checker sees nothing wrong in either, and what the flow should do never happens.
    """
    flows = {(module.name, name) for module in package for name in _flow_names(module)}
    methods = _flow_methods(package)
    return [
        module.at(node, f"makes the flow {ast.unparse(called)} and does not run it")
        for module in package
        for node, called in _lost_calls(module)
        if _is_flow(package, module, called, flows, methods)
    ]


def _lost_calls(module: Module) -> Iterator[tuple[ast.AST, ast.expr]]:
    """Yield calls whose result is dropped, or handed to the driver as if it were a step."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Expr(value=ast.Call(func=called)) | ast.Yield(value=ast.Call(func=called)):
                yield node, called
            case _:
                pass


def _is_flow(
    package: Package,
    module: Module,
    called: ast.expr,
    flows: set[tuple[str, str]],
    methods: set[str],
) -> bool:
    """Whether what is called is known to return a flow."""
    brought = {_local_name(found): found for found in imports(module)}
    match called:
        case ast.Name(name) if (found := brought.get(name)) is not None:
            known = {flow for _, flow in flows}
            inside = found.base.partition(".")[0] == package.name
            return (found.base, found.name) in flows or (inside and found.name in known)
        case ast.Name(name):
            return (module.name, name) in flows
        case ast.Attribute(value=ast.Name(owner), attr=name) if owner in brought:
            return (package.target(brought[owner]), name) in flows
        case ast.Attribute(attr=name):
            return name in methods
        case _:
            return False


def _local_name(found: Import) -> str:
    """Return what an import is called in the module that holds it."""
    wanted = found.name or found.base
    for alias in getattr(found.node, "names", ()):
        if alias.name == wanted and alias.asname:
            return str(alias.asname)
    return wanted


def _flow_methods(package: Package) -> set[str]:
    """Return names of methods that return a flow wherever the package defines them."""
    flow, other = set[str](), set[str]()
    for module in package:
        for owner in ast.walk(module.tree):
            if isinstance(owner, ast.ClassDef):
                for node in owner.body:
                    if isinstance(node, Function):
                        (flow if _returns_flow(node) else other).add(node.name)
    return flow - other


def _flow_names(module: Module) -> set[str]:
    """Return the functions of a module that return a flow."""
    return {
        node.name
        for node in ast.walk(module.tree)
        if isinstance(node, Function) and _returns_flow(node)
    }


def _returns_flow(node: Function) -> bool:
    """Whether a function is annotated to return a flow."""
    if node.returns is None:
        return False
    returned = ast.unparse(node.returns).strip("'\"")
    return re.match(r"(\w+\.)*Flow\b", returned) is not None


def missing_docstrings(package: Package) -> list[str]:
    """Find public modules, classes, functions and methods without a docstring."""
    bad = []
    for module in package:
        if ast.get_docstring(module.tree) is None:
            bad.append(module.at(module.tree, "has no docstring"))
        bad += [
            module.at(node, f"{node.name} has no docstring")
            for node in _public_definitions(module.tree)
            if ast.get_docstring(node) is None and not _needs_no_docstring(node)
        ]
    return bad


def _public_definitions(node: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    """Yield public classes and functions, and those inside public classes."""
    for inner in node.body:
        if isinstance(inner, Function | ast.ClassDef) and not inner.name.startswith("_"):
            yield inner
            if isinstance(inner, ast.ClassDef):
                yield from _public_definitions(inner)


def _needs_no_docstring(node: Function | ast.ClassDef) -> bool:
    """Whether a definition only repeats another: an overload, or a property's second half."""
    marks = {ast.unparse(mark).rpartition(".")[2] for mark in node.decorator_list}
    return bool(marks & {"overload", "setter", "deleter"})


def tests_without_a_sentence(package: Package) -> list[str]:
    """Find tests whose docstring does not begin with one sentence that says the behaviour.

    Why the test is made as it is may follow, in a paragraph of its own.
    """
    return [
        module.at(node, f"{node.name} does not say its behaviour in one sentence")
        for module in package
        for node in ast.walk(module.tree)
        if isinstance(node, Function)
        and node.name.startswith("test_")
        and not _is_sentence(ast.get_docstring(node) or "")
    ]


def _is_sentence(text: str) -> bool:
    """Whether the first paragraph ends as a sentence does, and holds no second one."""
    first = text.partition("\n\n")[0]
    return (
        first.endswith((".", "!", "?"))
        and re.search(r"(?<!e\.g)(?<!i\.e)[.!?]\s+[A-Z]", first) is None
    )


def oversized(package: Package) -> list[str]:
    """Find modules and functions longer than one look can take in."""
    bad = []
    for module in package:
        lines = len(module.text.splitlines())
        if lines > MOST_LINES_OF_A_MODULE:
            bad.append(module.at(module.tree, f"has {lines} lines"))
        code = _code_lines(module.text)
        for node in ast.walk(module.tree):
            if isinstance(node, Function):
                long = len(code & _body_lines(node))
                if long > MOST_LINES_OF_A_FUNCTION:
                    bad.append(module.at(node, f"{node.name} has {long} lines of code"))
    return bad


def _body_lines(node: Function) -> set[int]:
    """Return the line numbers of a function's body, its docstring left out."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return {
        line
        for statement in body
        for line in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
    }


def _code_lines(text: str) -> set[int]:
    """Return the numbers of the lines that hold code, not comments or nothing."""
    silent = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    return {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in silent
        for line in range(token.start[0], token.end[0] + 1)
    }
