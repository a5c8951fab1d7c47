from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from isocenter import layouts
from isocenter.data import Cases
from isocenter.inspect import examine, fingerprint, pixel_sha256


def test_one_pass_sees_everything(table: Any, picture: Callable[..., np.ndarray]) -> None:
    table.add("a.png", picture(1)), table.add("b.png", np.full((5, 6), 9, np.uint8))
    exam = examine(layouts.read(table.done()))
    a, b = exam.glimpses
    assert a is not None and b is not None
    assert (a.shape, a.axes, a.dtype, a.sha) == ((96, 120), "yx", "uint8", pixel_sha256(picture(1)))
    assert a.thumb is not None and b.thumb is None and (b.low, b.high) == (9.0, 9.0)
    assert exam.fingerprint == fingerprint(exam.cases) and set(exam.fingerprint) == {"a", "b"}


def test_values_that_are_no_numbers_are_counted() -> None:
    array = np.ones((2, 4, 5))
    array[0, 0, :3] = (np.nan, np.inf, 7.0)
    array[1] = np.nan
    first, second = examine(Cases.from_arrays(array)).glimpses
    assert first is not None and second is not None
    assert (first.infinite, first.low, first.high) == (2, 1.0, 7.0)
    assert (second.infinite, second.low, second.thumb) == (20, None, None)


def test_a_bad_image_is_a_problem_and_the_rest_goes_on(table: Any, picture: Callable[..., np.ndarray]) -> None:
    table.add("a.png", picture(1)), table.add("b.png", picture(2))
    path = table.done()
    (path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    exam = examine(layouts.read(path))
    assert exam.glimpses[0] is None and exam.glimpses[1] is not None
    assert [p.severity for p in exam.problems] == ["error"] and set(exam.fingerprint) == {"b"}


def test_items_of_an_archive_are_read_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (20, 28, 28, 3), np.uint8)
    labels = np.arange(20, dtype=np.uint8)[:, None] % 2
    np.savez_compressed(tmp_path / "x.npz", train_images=images, train_labels=labels)
    cases = layouts.read(tmp_path / "x.npz")
    assert list(fingerprint(cases).values()) == [pixel_sha256(c.image()) for c in cases]


def test_no_thumbnails_where_none_are_wanted(table: Any, picture: Callable[..., np.ndarray]) -> None:
    table.add("a.png", picture(1))
    glimpse = examine(layouts.read(table.done()), thumbs=False).glimpses[0]
    assert glimpse is not None and glimpse.thumb is None
