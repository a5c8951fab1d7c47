from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image as Pillow

from isocenter.data import (
    Attribution,
    Case,
    Cases,
    Geometry,
    Image,
    Probabilities,
    Score,
    Scores,
    Segmentation,
    Value,
    Values,
)
from isocenter.verbs import _display as show


def picture(parts: list[Any]) -> np.ndarray:
    data = next(p for p in parts if isinstance(p, bytes))
    return np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))


def test_a_volume_shows_its_middle_slice() -> None:
    array = np.zeros((5, 20, 30), np.uint8)
    array[2] = 200
    assert picture(show.image(Image.from_array(array))).mean() == 200


def test_a_film_shows_its_first_frame() -> None:
    array = np.zeros((3, 8, 8), np.uint8)
    array[0] = 90
    assert picture(show.image(Image.from_array(array, axes="tyx"))).mean() == 90


def test_an_image_that_cannot_be_read_says_so() -> None:
    def broken() -> np.ndarray:
        return np.zeros((1, 1), np.uint8)

    image = Image(broken, (4, 4), "yx", "uint8", Geometry((4, 4)))
    assert any("another shape" in str(p) for p in show.image(image))


def test_a_case_and_cases(squares: Cases) -> None:
    parts = show.case(Case("x", squares[0].images, facts={"age": 4.0}))
    assert picture(parts).shape == (24, 24, 3) and "age 4.0" in parts
    text, table = show.cases(squares)
    assert "24 cases, square" in text and ["test", 8, 4] in table


def test_regions_in_colour_with_their_sizes() -> None:
    labels = np.zeros((3, 9, 9), np.uint8)
    labels[1, 2:7, 2:7] = 1
    parts = show.segmentation(Segmentation(labels, ("background", "disc"), Geometry.from_spacing((3, 9, 9), (2, 1, 1))))
    drawn = picture(parts)
    assert drawn[0, 0].sum() == 0 and drawn[4, 4].sum() > 0
    assert parts[1][1] == ["disc", 25, "0.050 ml"]


def test_numbers() -> None:
    (table,) = show.probabilities(Probabilities(("a", "b"), (0.2, 0.8)))
    assert table[1] == ["b", "0.800", "decided"]
    (table,) = show.values(Values({"volume": Value(3.0, "ml", 2.0, 4.0)}))
    assert table[1] == ["volume", "3.000 ml", "2.000 to 4.000"]
    score = Score(0.8, 0.7, 0.9, 12, "", ("few_subjects",))
    _, table = show.scores(Scores("segment", "m", "test", {"dice": {"all": score}}, (), 3))
    assert table[1] == ["dice", "all", "0.800", "0.700 to 0.900", 12, "few_subjects"]


def test_a_map() -> None:
    values = np.zeros((8, 8), np.float32)
    values[:4] = 1
    drawn = picture(show.attribution(Attribution(values, Geometry((8, 8)), "a", "grad-cam")))
    assert (drawn[0, 0] != drawn[7, 7]).any()
