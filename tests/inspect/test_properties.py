"""What holds for any set: divisions, checksums, reading back what was written."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from isocenter import layouts
from isocenter.data import Cases
from isocenter.errors import InputError, LabelError
from isocenter.inspect import divide, kfold, pixel_sha256, write_split
from isocenter.inspect.leaking import shared_groups
from isocenter.layouts.cells import canonical
from isocenter.layouts.regions import Regions

QUICK = settings(deadline=None, max_examples=40, derandomize=True)
NUMBERS = st.floats(-1e9, 1e9) | st.integers(-(10**9), 10**9)


def cases_of(labels: list[str], groups: list[int]) -> Cases:
    x = np.arange(len(labels), dtype=np.uint8)[:, None, None] + np.zeros((1, 2, 2), np.uint8)
    return Cases.from_arrays(x, labels, subjects=[f"g{g}" for g in groups])


SETS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=1, max_size=60).map(
    lambda rows: cases_of([r[0] for r in rows], [r[1] for r in rows])
)


@QUICK
@given(SETS, st.floats(0.05, 0.4), st.floats(0.0, 0.3), st.integers(0, 5))
def test_a_division_keeps_every_case_and_every_group(cases: Cases, test: float, val: float, seed: int) -> None:
    parts = 2 + (val > 0)
    try:
        made = divide(cases, test=test, val=val, seed=seed)
    except InputError:
        assert cases.n_subjects < parts
        return
    assert [e.id for e in made.entries] == [e.id for e in cases.entries] and shared_groups(made) == ()
    assert set(made.splits) == ({"train", "val", "test"} if val > 0 else {"train", "test"})
    assert [e.split for e in divide(made, test=test, val=val, seed=seed).entries] == [e.split for e in made.entries]


@QUICK
@given(SETS, st.integers(2, 6), st.integers(0, 5))
def test_folds_cover_everything_once(cases: Cases, k: int, seed: int) -> None:
    try:
        folds = list(kfold(cases, k, seed=seed))
    except InputError:
        assert cases.n_subjects < k
        return
    held = [e.id for _, out in folds for e in out.entries]
    assert len(folds) == k and sorted(held) == sorted(e.id for e in cases.entries)
    assert all(not set(train.groups) & set(out.groups) for train, out in folds)


@QUICK
@given(NUMBERS)
def test_one_number_is_one_text(value: float) -> None:
    assert canonical(repr(value)) == canonical(f" {value!r} ") == canonical(canonical(repr(value)))
    assert float(canonical(repr(value))) == float(value)
    if float(value).is_integer():
        assert canonical(str(int(value))) == canonical(str(float(value)))


@QUICK
@given(arrays.arrays(np.int16, (4, 5), elements=st.integers(-3, 300)), st.sampled_from(["i4", "i8", "f4", "f8"]))
def test_a_checksum_depends_on_values_alone(array: np.ndarray, dtype: str) -> None:
    assert pixel_sha256(array) == pixel_sha256(array.astype(dtype)) == pixel_sha256(np.asfortranarray(array))
    changed = array.copy()
    changed[2, 3] += 1
    assert pixel_sha256(changed) != pixel_sha256(array)


@QUICK
@given(arrays.arrays(np.uint8, (3, 4), elements=st.integers(0, 5)), st.permutations(range(6)), st.integers(0, 5))
def test_labels_keep_their_meaning(array: np.ndarray, numbers: list[int], ignored: int) -> None:
    names = [f"r{i}" for i in range(6)]
    names[ignored] = "ignore"
    names[(ignored + 1) % 6] = "background"
    found = Regions.declared({n: [str(v)] for n, v in zip(names, numbers, strict=True)}, "t")
    encoded = found.encoded(array, "t")
    back = {255: "ignore", **dict(enumerate(found.names))}
    wanted = {v: n for n, v in zip(names, numbers, strict=True)}
    assert [back[int(i)] for i in encoded.ravel()] == [wanted[int(v)] for v in array.ravel()]
    try:
        Regions.declared({"background": ["0"], "one": ["1"]}, "t").encoded(array, "t")
        assert array.max() <= 1
    except LabelError:
        assert array.max() > 1


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), max_size=8)


@settings(deadline=None, max_examples=15, derandomize=True)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=6, max_size=10), st.sampled_from([".csv", ".tsv", ".xlsx"]))
def test_any_text_survives_a_new_table(notes: list[tuple[str, str]], suffix: str) -> None:
    import csv

    import PIL.Image

    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for i in range(len(notes)):
            PIL.Image.fromarray(np.full((3, 3), i, np.uint8)).save(base / f"{i}.png")
        with (base / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["image", "note", "Ünï"], *([f"{i}.png", *n] for i, n in enumerate(notes))])
        cases = divide(layouts.read(base))
        again = layouts.read(write_split(cases, base / f"split{suffix}").table)
        for old, new in zip(cases.entries, again.entries, strict=True):
            assert old.split == new.split and all(new.notes.get(c, "") == v for c, v in old.notes.items())
