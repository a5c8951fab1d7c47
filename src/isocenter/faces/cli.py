"""The command line: parse, call one verb, show what it gave; every error is one line."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from isocenter.errors import IsocenterError, NotFoundError, UsageError, nearest
from isocenter.faces import show
from isocenter.faces.arguments import Parser, everywhere
from isocenter.verbs import VERBS

COMMANDS = Path(__file__).parent / "commands"
POOLS = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR", "NUMBA")


def main(argv: Sequence[str] | None = None) -> int:
    """The command `isocenter`; gives the exit code.

    0 done, 1 refused, 2 malformed command, 3 some of many cases were refused, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    show.safe_streams()
    try:
        return _answered(words)
    except BrokenPipeError:
        # The reader of our output has seen enough; the interpreter must not complain when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as end:
        return int(end.code or 0)
    except KeyboardInterrupt:
        show.note(_interrupted(words))
        return 130
    except Exception as error:
        return _refused(error, words)


def verbs() -> dict[str, str]:
    """Verbs that the command line offers, with their texts."""
    return {name: text for name, text in VERBS.items() if (COMMANDS / f"{name}.py").is_file()}


def _answered(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        show.text(show.overview(verbs()))
        return 0
    if words[0] in ("-V", "--version", "version"):
        show.text([f"isocenter {_version()}"])
        return 0
    name = words[0]
    if name not in verbs():
        raise UsageError(f"no verb {name!r}", remedy=nearest(name, verbs()))
    _limit_threads(words)
    command = importlib.import_module(f"isocenter.faces.commands.{name}")
    args = _parser(name, command).parse_args(words[1:])
    result = command.call(args, show.meter(quiet=args.quiet))
    show.result(result, as_json=args.json, quiet=args.quiet)
    return int(getattr(result, "exit_code", 0))


def _parser(name: str, command: Any) -> Parser:
    parser = Parser(name, VERBS[name], command.EXAMPLES)
    command.arguments(parser)
    everywhere(parser)
    return parser


def _limit_threads(words: Sequence[str]) -> None:
    # The pools of numpy's libraries are sized when they load, and a command's module loads them: the words are looked
    # at before they are parsed.
    for word, after in zip(words, [*words[1:], ""], strict=True):
        given = after if word == "--threads" else word.partition("--threads=")[2]
        if given.isdigit() and int(given):
            for pool in POOLS:
                os.environ[f"{pool}_NUM_THREADS"] = given
    # Threads that spin while they wait slow each other down many times over once another program wants a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _refused(error: Exception, words: list[str]) -> int:
    where = f"isocenter {words[0]}" if words and words[0] in verbs() else "isocenter"
    if "--debug" in words:
        traceback.print_exc()
    known = _known(error)
    show.note(f"{where}: {show.typed(known.line())}")
    if "--json" in words:
        show.json_document(show.problem(known))
    return known.exit_code


def _known(error: Exception) -> IsocenterError:
    if isinstance(error, IsocenterError):
        return error
    if isinstance(error, MemoryError):
        return IsocenterError("memory did not suffice", remedy="Close other programs or choose smaller windows")
    if isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("isocenter"):
        return NotFoundError(f"the module {error.name!r} is not installed", remedy="See: isocenter doctor")
    return IsocenterError(
        "this is a fault of isocenter, not of your data", got=f"{type(error).__name__}: {error}",
        remedy="Run the same command with --debug and report what it prints",
    )


def _interrupted(words: list[str]) -> str:
    if not words or words[0] not in verbs():
        return "isocenter: interrupted"
    command = importlib.import_module(f"isocenter.faces.commands.{words[0]}")
    hint = command.resume(words) if hasattr(command, "resume") else ""
    return "isocenter: interrupted; nothing half-written stays." + (f" Continue with: {hint}" if hint else "")


def _version() -> str:
    from importlib.metadata import version

    return version("isocenter")
