"""Which column is the image, which the truth: fixed names, what is declared, and what the caller says."""

from __future__ import annotations

from dataclasses import replace

from isocenter.errors import AmbiguousError, NotFoundError, TableError, nearest
from isocenter.layouts.ask import Ask
from isocenter.layouts.cases_json import Declared, Truth
from isocenter.layouts.cells import names_file
from isocenter.layouts.table_files import Table

# Tasks of several images: a column each. All others take `image` or `file`.
ROLES = {"register": ("fixed", "moving"), "reconstruct": ("raw",)}
LABELLED = ("classify", "retrieve")
# The truth is a number in a cell.
NUMBERED = ("regress",)
# Tasks of objects; where they have no column of their own, that of a related task may do.
OBJECTS = ("detect", "instances")
# Columns that alone show that a task can be asked, beside the rules for mask and label.
SHOWING = {
    "instances": ("instances",), "detect": ("boxes",), "restore": ("clean",), "reconstruct": ("reference",),
    "track": ("tracks",), "register": ("transform", "fixed_landmarks", "fixed_mask"),
}


def find(table: Table, name: str) -> str | None:
    """The column of a fixed name, else the only one that differs in capitals alone; None when there is none.

    Raises
    ------
    AmbiguousError
        Two columns differ from the name in capitals alone.
    """
    if name in table.columns:
        return name
    alike = [c for c in table.columns if c.lower() == name]
    if len(alike) > 1:
        raise AmbiguousError(
            f"two columns could be {name!r}", where=str(table.path), got=" and ".join(map(repr, alike)),
            remedy="Rename one of them",
        )
    return alike[0] if alike else None


def images(table: Table, task: str | None) -> dict[str, str]:
    """Role to column of the images that a task takes.

    Raises
    ------
    TableError
        No such column.
    AmbiguousError
        Both `image` and `file` name files, and not the same ones.
    """
    roles = ROLES.get(task or "", ())
    found = {role: column for role in roles if (column := find(table, role))}
    if len(roles) > 1 and len(found) == len(roles):
        return found
    image, file = find(table, "image"), find(table, "file")
    if image and file and any(r[image] != r[file] and names_file(table.base, r[file]) for r in table.rows):
        raise AmbiguousError(
            "two columns could be the image", where=str(table.path), got=f"{image!r} and {file!r}",
            remedy="Rename the one that is not",
        )
    one = image or file
    if one:
        return {roles[0] if len(roles) == 1 else "image": one}
    pair = {role: column for role in ROLES["register"] if (column := find(table, role))}
    if len(pair) == 2 or found:
        return found or pair
    raise TableError(
        "no column of images", where=str(table.path), got=", ".join(table.columns),
        wanted=" and ".join(roles) or "image or file", remedy="Rename the column of image paths to 'image'",
    )


def has_images(table: Table) -> bool:
    """Whether a table could be read as one of cases."""
    return any(find(table, name) for name in ("image", "file", "fixed", "raw"))


def kind(table: Table, column: str) -> str:
    """``"files"``, ``"text"``, ``"mixed"`` or ``"empty"``: what the filled cells of a column are."""
    found = {names_file(table.base, row[column]) for row in table.rows if row[column]}
    return "empty" if not found else "mixed" if len(found) == 2 else "files" if found.pop() else "text"


def truth(table: Table, declared: Declared, ask: Ask) -> Truth:
    """Where the truth of the asked task stands: the caller's word, else cases.json, else the fixed names.

    Raises
    ------
    NotFoundError, TableError
        The named column is not there; or no column is a truth for the task.
    AmbiguousError
        Two columns could be the truth.
    """
    task = ask.task or ""
    said = declared.truth.get(task, Truth())
    if ask.target:
        if ask.target not in table.columns:
            remedy = nearest(ask.target, table.columns)
            raise NotFoundError(f"no column {ask.target!r}", where=str(table.path), remedy=remedy)
        # Labels of another column of classes are other labels, its unit another; masks of one set share their numbers.
        other = said.column not in ("", ask.target) and task in (*LABELLED, *NUMBERED)
        return replace(Truth() if other else said, column=ask.target)
    if said.column:
        return replace(said, column=table.require(said.column, f"truth.{task}"))
    if task in OBJECTS and (borrowed := _borrowed(table, declared, task)) is not None:
        return replace(borrowed, column=table.require(borrowed.column, f"truth.{borrowed.reads}"), invalid=said.invalid)
    column = by_name(table, task)
    if column is None and task == "track" and "frame" in declared.columns:
        column = find(table, "mask")
    if column is None:
        offered = ", ".join(tasks(table, declared)) or "none"
        raise TableError(
            f"no truth for {task}", where=str(table.path),
            got=f"columns {', '.join(table.columns)}; truths for {offered}",
            remedy="Name its column with --target, or in cases.json",
        )
    reads = "instances" if task in OBJECTS and column == find(table, "instances") else said.reads
    return replace(said, column=column, reads=reads)


def _borrowed(table: Table, declared: Declared, task: str) -> Truth | None:
    """The declared truth of a related task that is the truth of objects too; None where a fixed name comes first."""
    if find(table, SHOWING[task][0]):
        return None
    if task == "detect" and (objects := declared.truth.get("instances")) is not None and objects.column:
        return replace(objects, reads="instances")
    regions = declared.truth.get("segment")
    if find(table, "instances") or regions is None or not regions.column:
        return None
    return replace(regions, reads="segment")


def by_name(table: Table, task: str) -> str | None:
    """The column that the fixed names make the truth of a task; None when there is none.

    Raises
    ------
    AmbiguousError
        `mask` and `label` both name files, and not the same ones; or the values of `label` are partly files.
    """
    label = find(table, "label")
    label_kind = kind(table, label) if label else "empty"
    if task in (*LABELLED, *NUMBERED):
        _refuse_mixed(table, label, label_kind)
        return label if label_kind == "text" else None
    own = next((c for name in SHOWING.get(task, ()) if (c := find(table, name))), None)
    if task == "detect" and own is None:
        return by_name(table, "instances")
    if own or task not in ("segment", "instances"):
        return own
    mask = find(table, "mask")
    if mask and label and label_kind == "files" and any(r[mask] != r[label] for r in table.rows):
        raise AmbiguousError(
            "two columns could be the truth", where=str(table.path), got=f"{mask!r} and {label!r} both name files",
            remedy=f"Say which: --target {mask}, or --target {label}",
        )
    if mask:
        return mask
    _refuse_mixed(table, label, label_kind)
    return label if label_kind == "files" else None


def _refuse_mixed(table: Table, label: str | None, label_kind: str) -> None:
    if label and label_kind == "mixed":
        first = {names_file(table.base, r[label]): r for r in reversed(table.rows) if r[label]}
        file, text = first[True], first[False]
        raise AmbiguousError(
            f"column {label!r} could be files or classes", where=str(table.path),
            got=f"row {file.number} names the file {file[label]!r}, row {text.number} holds {text[label]!r}",
            remedy="Put files and classes in two columns",
        )


def tasks(table: Table, declared: Declared) -> tuple[str, ...]:
    """The tasks for which the table brings a truth, declared ones first."""
    taken = {t.column for t in declared.truth.values()}
    found = list(declared.truth)
    for task in ("segment", "classify", *SHOWING):
        if task in found:
            continue
        try:
            column = by_name(table, task) if task not in OBJECTS else find(table, SHOWING[task][0])
        except AmbiguousError:
            column = None
        # A column that is declared for another question (one number an object, say) is not offered for this one.
        if column and column not in taken:
            found.append(task)
    return tuple(found)


def column_of(table: Table, declared: Declared, name: str, said: str | None = None) -> str | None:
    """The column of `subject`, `group` or `split`: the caller's word, else cases.json, else the fixed name."""
    if said:
        if said not in table.columns:
            raise NotFoundError(f"no column {said!r}", where=str(table.path), remedy=nearest(said, table.columns))
        return said
    if name in declared.columns:
        return table.require(declared.columns[name], name)
    return find(table, name)
