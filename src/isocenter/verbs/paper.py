"""What a paper needs of a run: methods in English and Chinese, Table 1, flow of cases, checklists, references."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocenter import catalog
from isocenter.data import knobs
from isocenter.errors import IsocenterError, OutputError
from isocenter.files import write_text
from isocenter.report.citing import Reference, cited, unknown
from isocenter.report.paper_chinese import methods_chinese
from isocenter.report.paper_english import methods_english
from isocenter.report.paper_flow import flow_svg, flow_text
from isocenter.report.paper_items import CLAIM, TRIPOD, answers, checklists
from isocenter.report.paper_story import Story
from isocenter.report.paper_table import table_csv, table_markdown
from isocenter.verbs._places import usable
from isocenter.verbs._record import read_record
from isocenter.verbs._text import counted, typed

FILES = ("methods.md", "table1.csv", "table1.md", "flow.svg", "flow.md", "checklists.md", "references.bib")
# A setting that holds one of these is not in use.
UNUSED: tuple[Any, ...] = (None, False, "", "none", 0, 0.0, [])


@dataclass(frozen=True)
class Paper:
    """The paper pack of a run.

    Parameters
    ----------
    run, folder
        The report, and where the files lie.
    references
        Number of entries in references.bib.
    unfilled
        Items of CLAIM and TRIPOD+AI that the record cannot answer, and of how many.
    notes
        What the authors should know.
    """

    run: Path
    folder: Path
    references: int
    unfilled: Mapping[str, tuple[int, int]]
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "format": 1, "run": str(self.run), "folder": str(self.folder), "files": list(FILES),
            "references": self.references, "notes": list(self.notes),
            "not_provided": {k: {"items": n, "of": of} for k, (n, of) in self.unfilled.items()},
        }

    def lines(self) -> list[str]:
        """What lies where, and what is left to do."""
        open_ = ", ".join(f"{n} of {of} items of {k}" for k, (n, of) in self.unfilled.items())
        return [
            f"methods.md       methods section, English and Chinese; every number stands in the record of {self.run}",
            "table1.csv/.md   Table 1 by set", "flow.svg/.md     Figure 1, flow of cases",
            "checklists.md    CLAIM 2024 and TRIPOD+AI", f"references.bib   {counted(self.references, 'reference')}",
            *[f"note: {n}" for n in self.notes],
            f"left to you: {open_}; they are marked “not provided”", f"folder: {self.folder}",
            f"next: isocenter reproduce {typed(self.run)}",
        ]


def paper(run: str | Path, *, out: str | Path | None = None, overwrite: bool = False) -> Paper:
    """Writes up a run from its record; nothing is computed anew and nothing is invented.

    Parameters
    ----------
    run
        Folder of a report, or a bundle whose report lies beside it.
    out
        Folder for the files; default ``RUN/paper``.
    overwrite
        Replace an earlier pack.

    Raises
    ------
    MissingFileError, UnreadableError
        There is no record.
    OutputError
        A pack lies there already, or the folder cannot be written.
    """
    record = read_record(run)
    folder = Path(out) if out is not None else Path(record["folder"]) / "paper"
    usable(folder)
    there = [name for name in FILES if (folder / name).exists()]
    if there and not overwrite:
        raise OutputError("the file exists", where=str(folder / there[0]), remedy="Pass --overwrite or name another")
    story = Story(record)
    kept = sources(story)
    texts = {
        "methods.md": methods(story, kept), "table1.csv": table_csv(story), "table1.md": table_markdown(story),
        "flow.svg": flow_svg(story), "flow.md": flow_text(story), "checklists.md": checklists(story),
        "references.bib": bibliography(story, kept),
    }
    for name in FILES:
        write_text(folder / name, texts[name], overwrite=overwrite)
    said = answers(story)
    unfilled = {title: (sum(not said.get(key) for _, _, key in items), len(items))
                for title, items in (("CLAIM 2024", CLAIM), ("TRIPOD+AI", TRIPOD))}
    return Paper(Path(record["folder"]), folder, len(_all(story, kept)), unfilled, _notes(story))


def sources(story: Story) -> dict[str, list[Reference]]:
    """What is cited where: for ``"method NAME"``, ``"metrics"``, ``"intervals"``, ``"tests"``, ``"tools"``."""
    used = story.used()
    called = {kind: {u for u in used if u.startswith(kind)} for kind in ("interval=", "test=", "correction=", "tool=")}
    found = {f"method {name}": _of_method(m, used, story) for name, m in story.methods.items()}
    texts = [_metric_source(story.task, key) for key in _measured(story)]
    return found | {
        "metrics": [*cited(texts), *unknown(texts)], "intervals": cited([], called["interval="]),
        "tests": cited([], called["test="] | called["correction="]), "tools": cited([], called["tool="]),
        "verb": cited([], {u for u in used if u.startswith(("verb=", "attack="))}),
        "checklists": cited([], {"checklist=claim", "checklist=tripod"}),
    }


def methods(story: Story, kept: Mapping[str, Sequence[Reference]]) -> str:
    """methods.md: both languages and the list of references."""
    head = ("Written from the record of the run; every number stands there. Check the wording, and add what the last "
            "list of each part names. Research use only.")
    english = methods_english(story, _citing(kept, " ({})", "; "))
    chinese = methods_chinese(story, _citing(kept, "({})", "; "))
    shown = {r.key: r for name, rows in kept.items() if name != "checklists" for r in rows}
    listing = [f"- {r.line()}" for r in sorted(shown.values(), key=lambda r: r.key)]
    return "\n".join([f"*{head}*", "", english, chinese, "## References / 参考文献", "", *listing, ""])


def bibliography(story: Story, kept: Mapping[str, Sequence[Reference]]) -> str:
    """references.bib: methods, metrics, statistics, tools, the data set and isocenter itself."""
    own = _own(story)
    missing = "" if len(own) > 1 else "% data set: citation not provided; no README beside the data names one\n\n"
    return missing + "\n".join(r.bibtex() for r in _all(story, kept))


def _all(story: Story, kept: Mapping[str, Sequence[Reference]]) -> list[Reference]:
    every = {r.key: r for rows in kept.values() for r in rows} | {r.key: r for r in _own(story)}
    return [every[k] for k in sorted(every)]


def _own(story: Story) -> list[Reference]:
    """The tool, and the data set where the files beside it say what to cite."""
    number = story.record["versions"]["isocenter"]
    tool = Reference("software", "isocenter", {"title": "{isocenter}", "version": number, "note": f"version {number}"})
    origin = (story.data.get("source") or {}).get("origin") or []
    if not origin:
        return [tool]
    text = " ".join(origin)
    doi = re.findall(r"\b10\.\d{4,9}/[^\s,;()\"'<>]+", text)
    clean = re.sub(r"[{}\\`]", "", text).replace("%", r"\%").replace("_", r"\_").replace("&", r"\&").replace("#", r"\#")
    fields = {"title": f"{{{story.data['name']}}} (data set)", "note": clean}
    return [tool, Reference("misc", "dataset", fields | ({"doi": doi[0].rstrip(".")} if doi else {}))]


def _of_method(method: Mapping[str, Any], used: set[str], story: Story) -> list[Reference]:
    if method["method"] not in catalog.methods(method["task"]):
        return []
    cls = catalog.find(method["task"], method["method"])
    texts = [inspect.getdoc(cls) or "", getattr(inspect.getmodule(cls), "__doc__", "") or ""]
    imbalance = (method["plan"].get("loop") or {}).get("imbalance") or {}
    short = [k.source for k in knobs(cls) if k.source and _value(method["recipe"], k.name, imbalance) not in UNUSED]
    own = {u for u in used if not u.startswith(("tool=", "test=", "interval=", "correction=", "verb=", "attack="))}
    return [*cited([*texts, *short], own), *unknown(short)]


def _value(recipe: Mapping[str, Any], name: str, imbalance: Mapping[str, Any]) -> Any:
    """A field of the recipe; of the imbalance what the plan made of it."""
    value: Any = recipe
    for step in name.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return imbalance.get(name.removeprefix("imbalance."), value) if name.startswith("imbalance.") else value


def _measured(story: Story) -> list[str]:
    tables = [s["metrics"] for s in story.scores.values()]
    return list(dict.fromkeys(k for table in tables for k, targets in table.items()
                              if any(t.get("value") is not None for t in targets.values())))


def _metric_source(task: str, key: str) -> str:
    from isocenter.metrics.registry import get

    try:
        return get(key, task).source
    except IsocenterError:
        return ""


def _citing(kept: Mapping[str, Sequence[Reference]], form: str, between: str) -> Callable[..., str]:
    def cite(*what: str) -> str:
        names = dict.fromkeys(r.said() for r in kept.get(" ".join(what), ()))
        return form.format(between.join(names)) if names else ""

    return cite


def _notes(story: Story) -> tuple[str, ...]:
    notes = []
    if not story.data["facts"]:
        notes.append("Table 1 has no age, sex or other facts: run again with --facts COLUMNS to have them")
    if not (story.data.get("source") or {}).get("origin"):
        notes.append("no README beside the data says what to cite for the set: add it to references.bib")
    if story.verb == "train":
        notes.append("this is a training, scored on val: for the results of a paper run isocenter evaluate on test, "
                     "and isocenter paper on its report")
    return tuple(notes)
