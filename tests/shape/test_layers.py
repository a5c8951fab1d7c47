"""Who may import whom: DESIGN section 4 as a test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src" / "isocenter"
BASE = {"errors", "files"}
ALLOWED = {
    "errors": set(),
    "files": {"errors"},
    "catalog": {"errors"},
    "ops": BASE,
    "data": BASE | {"ops"},
    "io": BASE | {"ops", "data"},
    "layouts": BASE | {"ops", "data", "io"},
    "inspect": BASE | {"ops", "data", "io", "metrics"},
    "metrics": BASE | {"ops", "data"},
    "simulate": BASE | {"ops", "data"},
    "nets": BASE | {"ops"},
    "bundle": BASE | {"data"},
    "infer": BASE | {"ops", "data", "bundle"},
    "fit": BASE | {"ops", "data", "metrics", "nets", "infer", "bundle"},
    "tasks": BASE | {"ops", "data", "metrics", "infer", "bundle"},
    "report": BASE | {"ops", "data", "metrics"},
    "verbs": BASE
    | {"catalog", "data", "io", "layouts", "inspect", "metrics", "simulate", "fit", "infer", "bundle", "report"},
    "faces": BASE | {"data", "verbs", "report"},
    "__main__": {"faces"},
}
# A learned method reaches for torch only where it studies or opens itself.
LATE = {"tasks": {"nets", "fit"}}
TORCH = {"nets", "fit"}
HEAVY = {"faces": {"numpy", "torch", "scipy", "pandas"}}


def layer(path: Path) -> str:
    part = path.relative_to(SRC).parts[0]
    return part.removesuffix(".py")


def imported(tree: ast.AST) -> list[tuple[str, int, bool]]:
    """(dotted name, line, whether inside a function) of each import that runs."""
    found: list[tuple[str, int, bool]] = []

    def visit(node: ast.AST, inside: bool) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.extend((a.name, node.lineno, inside) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names = [f"{base}.{a.name}" for a in node.names] if base == "isocenter" else [base]
            found.extend((n, node.lineno, inside) for n in names)
        for child in ast.iter_child_nodes(node):
            visit(child, inside or isinstance(node, (ast.FunctionDef, ast.Lambda)))

    visit(tree, False)
    return found


def offences() -> list[str]:
    bad = []
    for path in sorted(SRC.rglob("*.py")):
        here = layer(path)
        if here == "__init__":
            continue
        for name, line, inside in imported(ast.parse(path.read_text(encoding="utf-8"))):
            place = f"{path.relative_to(SRC.parent.parent)}:{line}"
            top, _, rest = name.partition(".")
            if name.startswith("."):
                bad.append(f"{place}: relative import {name}; write the whole name")
            elif top == "isocenter":
                target = rest.partition(".")[0]
                late = inside and target in LATE.get(here, set())
                if target and target != here and target not in ALLOWED[here] and not late:
                    bad.append(f"{place}: {here} may not import {target}; allowed: {', '.join(sorted(ALLOWED[here]))}")
            elif top == "torch" and here not in TORCH and not inside:
                bad.append(f"{place}: torch at import time; import it inside the function that needs it")
            elif top in HEAVY.get(here, set()):
                bad.append(f"{place}: {here} may not import {top}; let a verb do it")
    return bad


def test_layers_import_only_what_they_may() -> None:
    assert offences() == []


def test_every_layer_is_known() -> None:
    known = {layer(p) for p in SRC.rglob("*.py")} - {"__init__"}
    assert known <= set(ALLOWED), f"new layers {known - set(ALLOWED)}: say here whom they may import"


def test_tasks_do_not_import_each_other() -> None:
    for path in sorted((SRC / "tasks").rglob("*.py")):
        own = path.relative_to(SRC / "tasks").parts[0]
        for name, line, _ in imported(ast.parse(path.read_text(encoding="utf-8"))):
            if name.startswith("isocenter.tasks."):
                other = name.split(".")[2]
                # A leading underscore: shared by the whole folder.
                assert other == own or other.startswith("_"), f"{path}:{line} imports {name}; take it as a part"


def test_the_check_sees_a_forbidden_import() -> None:
    tree = ast.parse("def f():\n    from isocenter.nets import build\nfrom isocenter import verbs\n")
    assert imported(tree) == [("isocenter.nets", 2, True), ("isocenter.verbs", 3, False)]
    with pytest.raises(KeyError):
        ALLOWED["nowhere"]
