"""Every public name says what it is, with annotations; nothing speaks of a machine."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "isocenter"
FILES = sorted(SRC.rglob("*.py"))
Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public(tree: ast.Module) -> list[Named]:
    names: list[Named] = []
    for node in tree.body:
        if isinstance(node, Named) and not node.name.startswith("_"):
            names.append(node)
            if isinstance(node, ast.ClassDef):
                names += [n for n in node.body if isinstance(n, Named) and not n.name.startswith("_")]
    return names


def test_public_names_are_documented_and_annotated() -> None:
    bad = []
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not ast.get_docstring(tree):
            bad.append(f"{path.relative_to(ROOT)}: no module docstring")
        for node in public(tree):
            place = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
            overloaded = any(ast.unparse(d) == "overload" for d in node.decorator_list)
            if not ast.get_docstring(node) and not overloaded:
                bad.append(f"{place}: no docstring")
            if isinstance(node, ast.ClassDef):
                continue
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
            if bare or node.returns is None:
                bad.append(f"{place}: not annotated {bare}")
    assert not bad, "\n".join(bad)


def test_sources_hold_no_loose_ends() -> None:
    bad = [
        f"{p.relative_to(ROOT)}:{i}"
        for p in FILES
        for i, line in enumerate(p.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line)
    ]
    assert not bad, bad


def test_no_machine_path_and_no_package_index_is_named() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    tops, index = "|".join(("work", "farm", "root", "tmp")), "index" + "-url"
    pattern = re.compile(rf"(^|[^A-Za-z0-9_.])/({tops})/|{index}|^registry *=")
    bad = []
    for name in listed.stdout.split():
        path = ROOT / name
        if not path.is_file() or path.suffix in {".png", ".onnx", ".safetensors", ".gz", ".jpg"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        bad += [f"{name}:{i}" for i, line in enumerate(text.splitlines(), 1) if pattern.search(line)]
    assert not bad, bad
