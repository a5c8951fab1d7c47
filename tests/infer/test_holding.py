"""Files that are read once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Boxes, Case, Cases, Entry, Geometry, Image, Instances, Segmentation, Source
from isocenter.errors import UnreadableError
from isocenter.infer import holding
from isocenter.infer.holding import HEADER, budget, held, kept

SIZE = 20 * 30
Make = Callable[..., Cases]


@pytest.fixture
def reads() -> Counter[str]:
    return Counter()


@pytest.fixture
def made(reads: Counter[str]) -> Make:
    """Cases as readers make them, that count what is read."""

    def make(n: int = 3, *, layout: Callable[[np.ndarray], np.ndarray] = np.array, files: bool = True) -> Cases:
        geometry = Geometry((20, 30))

        def opened(i: int) -> Case:
            def pixels() -> np.ndarray:
                reads[f"pixels {i}"] += 1
                return layout(np.random.default_rng(i).normal(size=(20, 30)).astype(np.float32))

            def truth() -> Segmentation:
                reads[f"truth {i}"] += 1
                return Segmentation(np.full((20, 30), i % 2, np.uint8), ("background", "a"), geometry)

            reads[f"header {i}"] += 1
            source = Source((f"{i}.png",), "png") if files else Source()
            return Case(f"c{i}", {"image": Image(pixels, (20, 30), "yx", "float32", geometry, source=source)},
                        load_truth=truth)

        splits = ("train", "val", "test")
        entries = tuple(Entry(f"c{i}", lambda i=i: opened(i), split=splits[i % 3]) for i in range(n))  # type: ignore[misc]
        return Cases(entries, "counted", "segment", ("a",))

    return make


def looked(cases: Cases) -> list[tuple[bytes, bytes]]:
    """Everything there is to read."""
    found = []
    for case in cases:
        truth = case.truth()
        assert isinstance(truth, Segmentation)
        found.append((case.image().pixels().tobytes(), truth.labels.tobytes()))
    return found


def test_nothing_is_read_twice(made: Make, reads: Counter[str]) -> None:
    plain = looked(made())
    reads.clear()
    cases = held(made())
    assert not reads, "nothing is opened before it is asked for"
    assert looked(cases) == looked(cases) == looked(cases) == plain
    assert set(reads.values()) == {1} and len(reads) == 9


def test_parts_of_the_cases_share_what_was_read(made: Make, reads: Counter[str]) -> None:
    cases = held(made(6))
    looked(cases)
    looked(cases.split("val"))
    looked(cases.with_splits([""] * 6))
    looked(held(cases.with_splits(["test"] * 6)))
    blind = cases.without_truth([0])[0]
    assert blind.truth() is None and blind.image().pixels().shape == (20, 30)
    assert set(reads.values()) == {1}


def test_who_changes_pixels_changes_nobody_elses(made: Make) -> None:
    cases = held(made(1))
    before = looked(cases)
    for _ in range(2):
        cases[0].image().pixels()[:] = 0
    assert looked(cases) == before


def test_what_does_not_fit_is_read_anew(made: Make, reads: Counter[str]) -> None:
    one = HEADER + 4 * SIZE + SIZE
    cases = held(made(4), room=2 * one + HEADER + 100)
    plain = looked(made(4))
    reads.clear()
    assert looked(cases) == looked(cases) == plain
    assert [reads[f"pixels {i}"] for i in range(4)] == [1, 1, 2, 2]
    assert [reads[f"truth {i}"] for i in range(4)] == [1, 1, 2, 2]
    # The third has room for its header alone.
    assert [reads[f"header {i}"] for i in range(4)] == [1, 1, 1, 2]
    reads.clear()
    looked(held(made(2), room=0))
    assert reads["pixels 0"] == 1


def test_copies_lie_in_memory_as_their_originals(made: Make, reads: Counter[str]) -> None:
    cases = held(made(1, layout=np.asfortranarray))
    first, second = cases[0].image().pixels(), cases[0].image().pixels()
    assert first.strides == second.strides == (4, 80) and reads["pixels 0"] == 1
    # With gaps between its values a copy would be summed in another order.
    gaps = held(made(1, layout=lambda a: np.repeat(a, 2, axis=1)[:, ::2]))
    assert looked(gaps) == looked(gaps) and reads["pixels 0"] == 3


def test_arrays_in_memory_pass_through(made: Make, reads: Counter[str]) -> None:
    cases = held(made(1, files=False))
    looked(cases)
    looked(cases)
    assert reads["pixels 0"] == reads["header 0"] == 2


def test_a_file_that_cannot_be_read_says_so_each_time() -> None:
    def broken() -> Case:
        raise UnreadableError("cut short")

    cases = held(Cases((Entry("a", broken),)))
    for _ in range(2):
        with pytest.raises(UnreadableError, match="cut short"):
            cases[0]


def test_a_finding_weighs_what_it_keeps_alive() -> None:
    geometry = Geometry((20, 30))
    base = np.ones((20, 30), bool)
    crops = (base[:5, :5], base[5:9, :3])
    found = Instances(np.zeros((2, 2), np.int64), crops, np.zeros(2, np.int64), ("a",), geometry)
    owned = holding._owned(found)
    assert owned[id(base)] == SIZE, "two crops keep their common map, once"
    assert sum(owned.values()) == SIZE + 32 + 16
    boxes = Boxes(np.zeros((3, 2, 2)) + np.array([[0], [1]]), np.zeros(3, np.int64), ("a",), geometry)
    assert sum(holding._owned(boxes).values()) == 96 + 24


def test_the_budget_is_a_share_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    for free, wanted in ((None, 512 << 20), (80 << 20, 10 << 20), (1 << 40, 512 << 20), (0, 0)):
        monkeypatch.setattr("isocenter.infer.holding.available", lambda free=free: free)
        assert budget() == wanted


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each picture was decoded."""
    from isocenter.io import raster

    count: Counter[str] = Counter()
    real = raster.pixels

    def pixels(path: str, *args: object, **more: object) -> np.ndarray:
        count[Path(path).name] += 1
        return real(path, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(raster, "pixels", pixels)
    return count


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of 9 pictures with their masks."""
    rows = ["image,mask,subject,split"]
    (tmp_path / "data").mkdir()
    for i in range(9):
        labels = np.zeros((24, 32), np.uint8)
        labels[6 : 12 + i, 8:20] = 1
        noise = np.random.default_rng(i).normal(0, 12, labels.shape)
        image = np.clip(60 + 120 * labels + noise, 0, 255).astype(np.uint8)
        iso.write(Image.from_array(image), tmp_path / "data" / f"i{i}.png")
        iso.write(Image.from_array(labels), tmp_path / "data" / f"m{i}.png")
        rows.append(f"i{i}.png,m{i}.png,s{i},{('train', 'val', 'test')[i // 3]}")
    folder = tmp_path / "data"
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    # Where nobody says what the numbers are, finding that out reads every mask once more.
    said = {"format": 1, "truth": {"segment": {"column": "mask", "labels": {"background": 0, "a": 1}}}}
    (folder / "cases.json").write_text(json.dumps(said), encoding="utf-8")
    return folder


@pytest.mark.parametrize("method", ["histogram", "morphology", "edges", "watershed", "level_set", "greedy"])
def test_a_classical_fit_reads_each_file_once(pictures: Path, decoded: Counter[str], method: str) -> None:
    from isocenter import catalog
    from isocenter.layouts import read

    cases = read(pictures, task="segment")
    decoded.clear()
    catalog.find("segment", method)().fit(cases.split("train"), cases.split("val"))
    assert set(decoded) == {f"{kind}{i}.png" for kind in "im" for i in range(3)}
    assert max(decoded.values()) == 1


def test_verbs_read_each_file_once(pictures: Path, decoded: Counter[str], tmp_path: Path) -> None:
    once = {f"i{i}.png": 1 for i in range(9)}
    iso.evaluate("segment/threshold", pictures, out=tmp_path / "one")
    images = {name: n for name, n in decoded.items() if name.startswith("i")}
    assert images == {name: 1 for name in once if name not in ("i3.png", "i4.png", "i5.png")}
    decoded.clear()
    iso.compare("segment", pictures, methods=["threshold", "histogram"], out=tmp_path / "two")
    assert {name: n for name, n in decoded.items() if name.startswith("i")} == once
    assert max(decoded.values()) == 1


def test_a_study_reads_each_file_once(pictures: Path, decoded: Counter[str], tmp_path: Path) -> None:
    settings = {"width": 4, "depth": 2, "study.epochs": 1, "study.steps": 1, "study.patch": (16, 16)}
    made = iso.train("segment", pictures, method="unet", out=tmp_path / "bundle", settings=settings, threads=1)
    assert set(decoded) >= {f"{kind}{i}.png" for kind in "im" for i in range(6)}
    assert max(decoded.values()) == 1
    # Nine pictures of 24 x 32 and their headers, and the masks of train and val.
    assert 9 * (768 + HEADER) + 6 * 768 <= kept(made.cases) < 2 * 9 * (768 + HEADER)


def test_what_is_held_is_counted_once(made: Make) -> None:
    cases = made()
    assert kept(cases) == 0
    cases = held(cases)
    assert kept(cases) == 0
    cases[0].image().pixels()
    # float32 pixels, whichever part of the cases is asked.
    assert kept(cases) == kept(cases.subset([1])) == HEADER + 4 * SIZE


def test_a_table_is_the_same_without_room(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def values() -> dict[str, object]:
        made = iso.compare("segment", pictures, methods=["threshold", "watershed"]).as_json()
        methods = {n: {k: m[k] for k in ("metrics", "n_cases")} for n, m in made["methods"].items()}
        return {"methods": methods, "tests": made["tests"], "best": made["best"]}

    with_room = values()
    monkeypatch.setattr("isocenter.infer.holding.BUDGET", 0)
    assert values() == with_room


def test_cases_with_other_names_are_not_mixed(made: Make) -> None:
    cases = made(2)
    twice = replace(cases, entries=(*cases.entries, *cases.entries))
    shelf = held(twice)
    assert looked(shelf)[:2] == looked(shelf)[2:] == looked(cases)
