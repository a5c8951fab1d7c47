"""The gates of DESIGN section 8 in numbers."""

from __future__ import annotations

import ast
import io
import statistics
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "isocenter"
FILES = sorted(SRC.rglob("*.py"))
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "misc", "common", "manager"}
SILENT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> list[Function]:
    return [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, Function)]


def body_lines(node: Function) -> int:
    doc = ast.get_docstring(node, clean=False)
    return node.end_lineno - node.lineno + 1 - (doc.count("\n") + 1 if doc else 0)


def test_modules_are_at_most_400_lines() -> None:
    long = {str(p.relative_to(ROOT)): n for p in FILES if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400}
    assert not long, f"split by concept: {long}"


def test_functions_are_short() -> None:
    sizes = {f"{p.relative_to(ROOT)}:{f.lineno} {f.name}": body_lines(f) for p in FILES for f in functions(p)}
    long = {k: v for k, v in sizes.items() if v > (40 if "/verbs/" in k else 60)}
    assert not long, f"too long: {long}"
    ordered = sorted(sizes.values())
    assert statistics.median(ordered) <= 10
    assert ordered[int(0.95 * len(ordered))] <= 36


def test_functions_take_at_most_seven_arguments_and_two_by_position() -> None:
    bad = []
    for path in FILES:
        for f in functions(path):
            named = [a.arg for a in [*f.args.posonlyargs, *f.args.args] if a.arg not in ("self", "cls")]
            total = len(named) + len(f.args.kwonlyargs)
            if total > 7:
                bad.append(f"{path.relative_to(ROOT)}:{f.lineno} {f.name}: {total} arguments")
    assert not bad, bad


def test_class_chains_are_short() -> None:
    bases: dict[str, list[str]] = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = [ast.unparse(b).split("[")[0] for b in node.bases]

    def depth(name: str) -> int:
        return 1 + max((depth(b) for b in bases.get(name, []) if b in bases), default=0)

    # The error tree is a tree on purpose: base, kind, cause.
    deep = {n for n in bases if depth(n) > (3 if n.endswith("Error") else 2)}
    assert not deep, deep


def test_names_say_something() -> None:
    for path in FILES:
        assert path.stem.strip("_") not in EMPTY_NAMES, path
        for f in functions(path):
            assert f.name.strip("_") not in EMPTY_NAMES, f"{path}:{f.lineno}"


def test_no_print_outside_faces_and_no_unsafe_construct() -> None:
    unsafe = {"eval", "exec"}
    dotted = {"pickle.load", "pickle.loads", "torch.load", "yaml.load", "joblib.load", "marshal.loads"}
    bad = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                bad.append(f"{path}:{node.lineno}: bare except")
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            if (
                (name == "print" and "faces" not in path.parts)
                or name in unsafe | dotted
                or name.endswith("extractall")
            ):
                bad.append(f"{path}:{node.lineno}: {name}")
            for k in node.keywords:
                if k.arg in ("allow_pickle", "shell") and ast.unparse(k.value) == "True":
                    bad.append(f"{path}:{node.lineno}: {k.arg}=True")
    assert not bad, bad


def docstring_lines(tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, Function)) and ast.get_docstring(node, clean=False) is not None:
            lines |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return lines


def code_lines(path: Path) -> int:
    """Lines that hold code: no docstrings, comments or blank lines, so that documenting costs no test."""
    text = path.read_text(encoding="utf-8")
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in SILENT:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - docstring_lines(ast.parse(text)))


def test_there_is_as_much_test_as_source() -> None:
    tests = sum(map(code_lines, (ROOT / "tests").rglob("*.py")))
    assert tests >= sum(map(code_lines, FILES))


def test_every_source_file_has_its_test_file() -> None:
    missing = []
    for path in FILES:
        relative = path.relative_to(SRC)
        if path.stem == "__init__" or path.name == "py.typed":
            continue
        wanted = ROOT / "tests" / relative.parent / f"test_{path.stem.strip('_')}.py"
        if not wanted.is_file():
            missing.append(str(wanted.relative_to(ROOT)))
    assert not missing, missing
