"""The import law: which room may import which. Whatever is not allowed here fails."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

CORE = {"src.core"}
FILES = CORE | {"src.media", "src.artifacts"}
NETWORKS = {"src.models", "src.losses", "src.metrics"}
ALLOWED = {
    "src.core": set(),
    "src.media": CORE,
    "src.artifacts": CORE,
    "src.models": CORE,
    "src.losses": CORE,
    "src.metrics": CORE,
    "src.encoders": CORE | {"src.artifacts", "src.models"},
    "src.simulation": FILES,
    "src.data": FILES,
    "src.training": CORE | NETWORKS | {"src.artifacts", "src.data", "src.simulation", "src.encoders"},
    "src.scoring": FILES | {"src.models", "src.metrics"},
    "src.raw_pairs": FILES
    | {"src.models", "src.metrics", "src.encoders", "src.scoring", "preprocessing", "features"},
    "src.scoring.commands": FILES | {"src.scoring", "src.metrics", "src.encoders", "src.raw_pairs"},
    "src.experiments": CORE | {"src.artifacts", "src.metrics", "src.training", "src.scoring"},
    "preprocessing": FILES | {"src.models", "src.encoders"},
    "features": FILES | {"src.models", "src.encoders"},
    "demo": FILES | {"src.simulation"},
    "train": CORE | {"src.training", "src.experiments"},
    "inference": CORE | {"src.scoring.commands"},
    "benchmarks": None,  # benchmarks measure every room
}
ROOMS = sorted(ALLOWED, key=len, reverse=True)


def room_of(module: str) -> str | None:
    return next((room for room in ROOMS if module == room or module.startswith(room + ".")), None)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def source_files() -> list[Path]:
    folders = ["src", "preprocessing", "features", "demo", "benchmarks"]
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [*files, *(path for path in (ROOT / "train.py", ROOT / "inference.py") if path.exists())]


def imported_modules(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports by full names only"
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


@pytest.mark.parametrize("path", source_files(), ids=module_name)
def test_imports_stay_within_the_law(path):
    room = room_of(module_name(path))
    if room is None:
        assert path.name == "__init__.py"
        return
    allowed = ALLOWED[room]
    if allowed is None:
        return
    foreign = {name for name in imported_modules(path) if room_of(name) not in {None, room, *allowed}}
    assert not foreign, f"{path.relative_to(ROOT)} may not import {sorted(foreign)}"


def test_modules_form_no_circle():
    names = {module_name(path): path for path in source_files()}
    graph = {
        name: {
            target
            for found in imported_modules(path)
            for target in (found, found.rpartition(".")[0])
            if target in names
        }
        for name, path in names.items()
    }
    finished: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"circle of imports: {' -> '.join((*trail, name))}"
        if name not in finished:
            for target in sorted(graph[name] - {name}):
                visit(target, (*trail, name))
            finished.add(name)

    for name in sorted(graph):
        visit(name, ())
    assert finished


@pytest.mark.parametrize(
    "path", [path for path in source_files() if path.name == "__init__.py"], ids=module_name
)
def test_package_files_hold_no_logic(path):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        assert isinstance(node, ast.Import | ast.ImportFrom | ast.Expr | ast.Assign), path
