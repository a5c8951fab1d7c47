"""The record beside answers: what was answered, from what, by what; so that a second run does only what is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocenter.data import Problem
from isocenter.errors import OutputError
from isocenter.files import refusal, write_text
from isocenter.verbs._csv import write_rows

NAME, TABLE, PROBLEMS = "predictions.json", "predictions.csv", "problems.csv"
JOURNAL = ".predictions.jsonl"
NOTICE = "Research use only. Not a medical device."


class Ledger:
    """The record of one folder (predictions.json, predictions.csv, problems.csv), or of one named file.

    While a run goes on, every item is one line of a journal; `close` makes the record of it. A run that was killed
    leaves the journal, and the next one reads it.

    Parameters
    ----------
    folder
        Where answers go.
    made
        What makes them: method, version, weights, parameters.
    record
        Name of the record.

    Raises
    ------
    OutputError
        There is a record that is not ours.
    """

    def __init__(self, folder: Path, made: Mapping[str, Any], *, record: str = NAME) -> None:
        self.folder, self.made, self.record = folder, dict(made), record
        whole = record == NAME
        self.fresh = not folder.exists()
        self.items: dict[str, dict[str, Any]] = {**_items(folder / NAME), **_journal(folder / JOURNAL)} if whole else {}
        self.whole = whole

    def done(self, name: str, sha: str) -> bool:
        """Whether this input was answered by this very method and its files are there."""
        item = self.items.get(name, {})
        return (
            item.get("status") in ("answered", "not evaluated") and item.get("sha256") == sha
            and item.get("made") == self.made and all((self.folder / f).is_file() for f in item.get("files", ()))
        )

    def ours(self, name: str, sha: str) -> bool:
        """Whether files of that name come from a run of this very method that did not end."""
        item = self.items.get(name, {})
        return item.get("status") == "pending" and item.get("sha256") == sha and item.get("made") == self.made

    def put(self, name: str, **item: Any) -> None:
        """Notes one item, on the disk at once.

        Raises
        ------
        OutputError, ResourceError
            The folder cannot be written.
        """
        self.items[name] = {"name": name, **item, "made": self.made}
        if not self.whole:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / JOURNAL).open("a", encoding="utf-8") as file:
                file.write(json.dumps(self.items[name], allow_nan=False) + "\n")
        except OSError as error:
            raise refusal(error, self.folder) from error

    def close(self, problems: Sequence[Problem]) -> None:
        """Writes the record, the table and the problems; nothing where nothing was noted."""
        if not self.items:
            if self.whole:
                self._gone()
            return
        items = list(self.items.values())
        document: dict[str, Any] = {"format": 1, "notice": NOTICE, "items": items}
        if not self.whole:
            document = {"format": 1, "notice": NOTICE, **items[-1]}
        write_text(self.folder / self.record, json.dumps(document, indent=1, allow_nan=False) + "\n", overwrite=True)
        if self.whole:
            self.table()
            self.problems(problems)
            (self.folder / JOURNAL).unlink(missing_ok=True)

    def _gone(self) -> None:
        """Nothing was answered: neither the journal stays, nor a folder that was made for it."""
        (self.folder / JOURNAL).unlink(missing_ok=True)
        if self.fresh and self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def table(self) -> None:
        """Writes the answers as predictions.csv, one row an input."""
        rows = [{"name": i["name"], "status": i["status"], **i.get("answer", {}), "note": i.get("note", "")}
                for i in self.items.values() if i["status"] != "pending"]
        header = list(dict.fromkeys(["name", "status", *(k for row in rows for k in row if k != "note"), "note"]))
        write_rows(self.folder / TABLE, header, rows=rows, overwrite=True)

    def problems(self, found: Sequence[Problem]) -> None:
        """Writes problems.csv, or removes the one of an earlier run when there are none."""
        path = self.folder / PROBLEMS
        if found:
            write_rows(path, ("code", "severity", "where", "what", "got", "wanted", "remedy"),
                       rows=[p.as_json() for p in found], overwrite=True)
        else:
            path.unlink(missing_ok=True)


def _items(path: Path) -> dict[str, dict[str, Any]]:
    if not path.is_file():
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {item["name"]: item for item in document["items"]}
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError("the record of answers cannot be read", where=str(path), got=str(error),
                          remedy="Name another folder, or remove it") from error


def _journal(path: Path) -> dict[str, dict[str, Any]]:
    items: dict[str, dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            item = json.loads(line)
            items[item["name"]] = item
        except (ValueError, KeyError, TypeError):
            # The last line of a killed run may be cut short; its item is done again.
            continue
    return items
