from __future__ import annotations

import importlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from isocenter.errors import IsocenterError
from isocenter.faces import cli
from isocenter.faces.arguments import Parser, everywhere

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Makes `isocenter methods` raise an error."""

    def put(error: BaseException) -> None:
        import isocenter.faces.commands.methods as command

        def call(args: object, report: object) -> object:
            raise error

        monkeypatch.setattr(command, "call", call)

    return put


def test_without_a_verb_the_overview_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in cli.verbs())
    assert "Research use only" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("isocenter 0.")


@pytest.mark.parametrize("name", sorted(cli.verbs()))
def test_every_verb_has_help_with_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"isocenter {name}" in out and "examples:" in out
    assert all(flag in out for flag in ("--json", "--seed", "--set", "--quiet", "--debug"))


@pytest.mark.parametrize("name", sorted(cli.verbs()))
def test_every_example_can_be_typed(name: str) -> None:
    command = importlib.import_module(f"isocenter.faces.commands.{name}")
    for example in command.EXAMPLES:
        # What follows a gap is a remark.
        words = shlex.split(example.split("   ")[0])
        assert words[:2] == ["isocenter", name]
        parser = Parser(name, "", command.EXAMPLES)
        command.arguments(parser)
        everywhere(parser)
        parser.parse_args(words[2:])


def test_a_misspelt_verb_is_malformed_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evalute"]) == 2
    assert "Did you mean evaluate?" in capsys.readouterr().err


def test_a_malformed_option_is_one_line_and_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["methods", "--seed", "x"]) == 2
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 1 and "--seed" in err[0] and "isocenter methods --help" in err[0]


def test_an_abbreviated_option_is_not_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["methods", "--js"]) == 2
    assert "--js" in capsys.readouterr().err


def test_a_refusal_is_one_line_and_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["methods", "segmnt"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [captured.err.strip()] and "Did you mean segment?" in captured.err


def test_a_refusal_with_json_is_one_document_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["methods", "segmnt", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "not-found"


def test_json_is_one_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["methods", "segment", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["format"] == 1 and captured.err == ""


def test_a_fault_of_ours_is_one_line_that_says_so(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(ZeroDivisionError("division by zero"))
    assert cli.main(["methods"]) == 1
    err = capsys.readouterr().err
    assert "fault of isocenter" in err and "ZeroDivisionError" in err and "--debug" in err and "Traceback" not in err


def test_debug_shows_the_traceback(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(ZeroDivisionError("division by zero"))
    assert cli.main(["methods", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_lack_of_memory_is_not_a_fault_of_ours(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(MemoryError())
    assert cli.main(["methods"]) == 1
    assert "memory did not suffice" in capsys.readouterr().err


def test_an_interruption_is_code_130(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(KeyboardInterrupt())
    assert cli.main(["methods"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_an_interrupted_training_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import isocenter.faces.commands.train as command

    def call(args: object, report: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "call", call)
    assert cli.main(["train", "segment", "my data", "-o", "x.bundle"]) == 130
    assert "isocenter train segment 'my data' -o x.bundle --resume" in capsys.readouterr().err


def test_errors_keep_their_own_exit_code(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(IsocenterError("it is wrong", got="a", wanted="b", remedy="Do c"))
    assert cli.main(["methods"]) == 1
    assert capsys.readouterr().err.strip() == "isocenter methods: it is wrong: got a, needed b. Do c."


WATCHING = """
import os, sys

class Watch:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "numpy":
            with open(os.environ["TOLD"], "a") as file:
                file.write(os.environ.get("OPENBLAS_NUM_THREADS", "none") + " ")

sys.meta_path.insert(0, Watch)
"""


@pytest.mark.parametrize("words", [("--threads", 3), ("--threads=3",)])
def test_threads_are_set_before_numpy_is_there(command: Run, tmp_path: Path, words: tuple[object, ...]) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCHING, encoding="utf-8")
    told = tmp_path / "told"
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    command("methods", "segment", *words, env={"PYTHONPATH": path, "TOLD": str(told)}, cwd=tmp_path)
    command("evaluate", "segment/histogram", tmp_path / "absent", *words, cwd=tmp_path,
            env={"PYTHONPATH": path, "TOLD": str(told)})  # fmt: skip
    assert set(told.read_text().split()) == {"3"}


def test_a_reader_that_stops_early_is_no_error() -> None:
    line = [sys.executable, "-m", "isocenter", "methods", "segment", "unet"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.parametrize("encoding", ["ascii", "cp936"])
def test_a_terminal_of_another_code_page_is_no_error(command: Run, encoding: str, tmp_path: Path) -> None:
    folder = tmp_path / "片子é"
    page = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = command("evaluate", "segment/histogram", folder, env=page)
    assert done.returncode == 1 and "no such file or folder" in done.stderr and "Traceback" not in done.stderr
    done = command("look", folder, env=page)
    assert done.returncode == 1 and "unreadable" in done.stdout and "Traceback" not in done.stderr
