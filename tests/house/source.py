"""Read a package as source: its modules, and what each of them imports. Nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Module:
    """One parsed module."""

    name: str
    path: Path
    is_package: bool
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The top-level room: `sync` for `evoclient.sync.client`, `__init__` for the root."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else "__init__"

    def at(self, node: ast.AST, what: str) -> str:
        """Say what was found, and where."""
        return f"{self.name}:{getattr(node, 'lineno', 1)} {what}"


@dataclass(frozen=True)
class Import:
    """One imported name: a module (`name` is None) or a name out of a module."""

    node: ast.AST
    base: str
    name: str | None


class Package:
    """All modules of a package, by dotted name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self.modules: dict[str, Module] = {}
        for path in sorted(folder.rglob("*.py")):
            parts = (self.name, *path.relative_to(folder).with_suffix("").parts)
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            text = path.read_text(encoding="utf-8")
            self.modules[name] = Module(name, path, is_package, text, ast.parse(text, str(path)))

    def __iter__(self) -> Iterator[Module]:
        return iter(self.modules.values())

    def target(self, found: Import) -> str:
        """Return the module an import reaches: `from a import b` reaches a.b if b is a module."""
        whole = f"{found.base}.{found.name}"
        return whole if whole in self.modules else found.base

    def inside(self, module: Module) -> Iterator[tuple[Import, str]]:
        """Yield the imports of a module that stay in the package, with the module each reaches."""
        for found in imports(module):
            if found.base.partition(".")[0] == self.name:
                yield found, self.target(found)

    def room_of(self, target: str) -> str:
        """Return the room a dotted name of this package lies in."""
        parts = target.split(".")
        return parts[1] if len(parts) > 1 else "__init__"


def imports(module: Module) -> Iterator[Import]:
    """Yield everything a module imports: at its top, inside functions, for types, and by string."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Import():
                yield from (Import(node, alias.name, None) for alias in node.names)
            case ast.ImportFrom():
                base = _absolute(module, node.level, node.module)
                yield from (Import(node, base, alias.name) for alias in node.names)
            case ast.Call(
                func=ast.Name("import_module" | "__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(str(name)), *_],
            ):
                dots = len(name) - len(name.lstrip("."))
                yield Import(node, _absolute(module, dots, name[dots:]), None)
            case _:
                pass


def _absolute(module: Module, level: int, name: str | None) -> str:
    """Turn a relative module name into an absolute one."""
    if level == 0:
        return name or ""
    parts = module.name.split(".")
    up = level - 1 if module.is_package else level
    return ".".join([*parts[: len(parts) - up], *([name] if name else [])])
