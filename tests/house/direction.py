"""Rules about who imports whom. Each takes a package and returns what breaks the rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from .floors import (
    ALLOWED_NAMES,
    FLOORS,
    HIGHEST_PURE_FLOOR,
    IMPURE_MODULES,
    IMPURE_ROOMS,
    KNOWS_NOT,
    KNOWS_ONLY,
    LIBRARY_FILES,
)
from .source import Module, Package, imports


def rooms_without_a_floor(package: Package) -> list[str]:
    """Find rooms that the table of floors does not know."""
    return sorted({module.room for module in package} - set(FLOORS))


def climbing_imports(package: Package) -> list[str]:
    """Find imports from the same floor or a higher one, the own folder aside."""
    return [
        module.at(found.node, f"imports {target}: floor {_floor(room)} from {_floor(module.room)}")
        for module in package
        for found, target in package.inside(module)
        if (room := package.room_of(target)) not in (module.room, "__init__")
        and _floor(room) >= _floor(module.room)
    ]


def imports_of_the_root(package: Package) -> list[str]:
    """Find modules that import the package root: it stands above all of them."""
    return [
        module.at(found.node, f"imports the package root for {found.name or 'itself'}")
        for module in package
        for found, target in package.inside(module)
        if target == package.name
    ]


def forbidden_acquaintances(package: Package) -> list[str]:
    """Find rooms that import one they should not know, although the floors would allow it."""
    found_bad = []
    for module in package:
        only = KNOWS_ONLY.get(module.room)
        never = KNOWS_NOT.get(module.room, frozenset())
        for found, target in package.inside(module):
            room = package.room_of(target)
            if room in never or (only is not None and room not in {*only, module.room}):
                found_bad.append(module.at(found.node, f"may not know {target}"))
    return found_bad


def impure_imports(package: Package) -> list[str]:
    """Find modules of the pure floors that import a transport's library, a loop or a lock."""
    return [
        module.at(found.node, f"imports {found.base}")
        for module in _pure(package)
        for found in imports(module)
        if found.base.partition(".")[0] in IMPURE_MODULES
        and (module.room, found.base, found.name) not in ALLOWED_NAMES
    ]


def coloured_code(package: Package) -> list[str]:
    """Find `async` and `await` on the pure floors.

    A Protocol may name an async method: that is the shape of something, and runs nothing.
    """
    coloured = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    return [
        module.at(node, "is async")
        for module in _pure(package)
        for node in ast.walk(module.tree)
        if isinstance(node, coloured) or (isinstance(node, ast.comprehension) and node.is_async)
        if node not in _shapes(module)
    ]


def _shapes(module: Module) -> list[ast.stmt]:
    """Return the methods of protocols that have a docstring and dots for a body."""
    return [
        method
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).partition("[")[0].endswith("Protocol") for base in node.bases)
        for method in node.body
        if isinstance(method, ast.AsyncFunctionDef)
        and all(
            isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
            for line in method.body
        )
    ]


def sleeping_code(package: Package) -> list[str]:
    """Find `time.sleep` on the pure floors, whatever it is called there."""
    bad = []
    for module in _pure(package):
        clocks, sleeps = {"time"}, set[str]()
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                clocks.update(a.asname or a.name for a in node.names if a.name == "time")
            elif isinstance(node, ast.ImportFrom) and node.module == "time":
                sleeps.update(a.asname or a.name for a in node.names if a.name == "sleep")
        for node in ast.walk(module.tree):
            match node:
                case ast.Attribute(value=ast.Name(clock), attr="sleep") if clock in clocks:
                    bad.append(module.at(node, "sleeps"))
                case ast.Name(name) if name in sleeps:
                    bad.append(module.at(node, "sleeps"))
                case _:
                    pass
    return bad


def libraries_out_of_place(package: Package) -> list[str]:
    """Find HTTP libraries named in `transports/` outside the library's own `with_…` file."""
    return [
        module.at(found.node, f"names {library}; its file is {LIBRARY_FILES[library]}")
        for module in package
        if module.room == "transports"
        for found in imports(module)
        if (library := found.base.partition(".")[0]) in LIBRARY_FILES
        and not any(part.startswith(LIBRARY_FILES[library]) for part in module.name.split(".")[2:])
    ]


def files_without_a_twin(package: Package) -> list[str]:
    """Find files of `sync/` that `aio/` has not, and the other way round."""
    sync, aio = (
        {path.relative_to(package.folder / room).as_posix() for path in _files(package, room)}
        for room in ("sync", "aio")
    )
    return sorted(sync ^ aio)


def circles(package: Package) -> list[str]:
    """Find import circles of any kind; lazy and typing-only imports count."""
    graph = {module.name: _reached(package, module) for module in package}
    return [" -> ".join(sorted(circle)) for circle in _components(graph)]


def _floor(room: str) -> float:
    """Return a room's floor; an unknown room is reported by its own rule."""
    return FLOORS.get(room, float("inf"))


def _pure(package: Package) -> Iterator[Module]:
    """Yield the modules that may neither wait nor know how anything is carried."""
    for module in package:
        if _floor(module.room) <= HIGHEST_PURE_FLOOR and module.room not in IMPURE_ROOMS:
            yield module


def _files(package: Package, room: str) -> Iterator[Path]:
    """Yield the files of a room."""
    yield from (package.folder / room).rglob("*.py")


def _reached(package: Package, module: Module) -> set[str]:
    """Return the modules that importing from this one runs, packages on the way included."""
    reached = set[str]()
    for _, target in package.inside(module):
        reached.add(target)
        parts = target.split(".")
        on_the_way = (".".join(parts[:end]) for end in range(2, len(parts)))
        # A package that holds the importing module is being imported already.
        reached.update(name for name in on_the_way if not f"{module.name}.".startswith(f"{name}."))
    return reached & set(package.modules)


def _components(graph: dict[str, set[str]]) -> list[set[str]]:
    """Return the circles of a graph: sets of modules that reach each other, or themselves."""
    reach = {name: _closure(graph, name) for name in graph}
    found: list[set[str]] = []
    for name, reached in reach.items():
        if name in reached and not any(name in circle for circle in found):
            found.append({other for other in reached if name in reach[other]})
    return found


def _closure(graph: dict[str, set[str]], start: str) -> set[str]:
    """Return everything reachable from a module by at least one import."""
    seen = set[str]()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(graph[name])
    return seen
