"""Boxes and outlines where the pixels are, each kind in its own group."""

from __future__ import annotations

import re

import numpy as np

from isocenter.report import Mark, Picture
from isocenter.report.figures import Canvas
from isocenter.report.figures_objects import KINDS, LABELLED, NAMED, drawn, kinds_of
from isocenter.report.style import page_style

IMAGE = np.zeros((40, 40))


def box(kind: str, y0: float, x0: float, y1: float, x1: float, **more: str) -> Mark:
    return Mark(kind, np.array([(y0, x0), (y1, x1)]), **more)


def group(svg: str, kind: str) -> str:
    found = re.search(rf'<g class="obj \w+ {kind}">(.*?)</g>', svg)
    assert found is not None, svg
    return found.group(1)


def corners(path: str) -> np.ndarray:
    return np.array([[float(v) for v in p.split(",")] for p in re.findall(r"[-\d.]+,[-\d.]+", path)])


def test_a_box_lies_on_the_edges_of_its_pixels() -> None:
    svg = drawn(Picture(IMAGE, marks=(box("hit", 9.5, 19.5, 29.5, 39.5, text="red 0.91", label="0.91"),)), side=400)
    inside = group(svg, "hit")
    found = corners(inside)
    # Columns before rows: x from 20 to 40 of 40 pixels, y from 10 to 30.
    assert found.min(axis=0).tolist() == [200.0, 100.0] and found.max(axis=0).tolist() == [400.0, 300.0]
    assert "<title>red 0.91</title>" in inside and ">0.91</text>" in inside


def test_an_outline_lies_where_its_crop_does() -> None:
    svg = drawn(Picture(IMAGE, marks=(Mark("found", np.ones((10, 20), bool), (5, 15)),)), side=400)
    found = corners(group(svg, "found"))
    assert np.allclose(found.min(axis=0), (150, 50), atol=6) and np.allclose(found.max(axis=0), (350, 150), atol=6)


def test_what_was_missed_is_crossed() -> None:
    plain, crossed = (group(drawn(Picture(IMAGE, marks=(box(k, 5, 5, 25, 25),))), k) for k in ("found", "missed"))
    assert crossed.count("M") == 3 * plain.count("M")
    outlined = group(drawn(Picture(IMAGE, marks=(Mark("missed", np.ones((6, 6), bool), (3, 3)),))), "missed")
    assert outlined.count("M") == 2 * 3


def test_many_objects_share_one_path_and_bring_no_words() -> None:
    few = tuple(box("false", i % 30, 1, i % 30 + 3, 9, text=f"t{i}", label="0.5") for i in range(LABELLED))
    many = tuple(box("false", i % 30, 1, i % 30 + 3, 9, text=f"t{i}", label="0.5") for i in range(NAMED + 1))
    assert drawn(Picture(IMAGE, marks=few)).count("<text") == LABELLED
    svg = drawn(Picture(IMAGE, marks=many))
    assert svg.count("<title>") == 0 == svg.count("<text") and svg.count('class="rim"') == 1


def test_names_are_escaped_and_other_pictures_are_drawn_as_before() -> None:
    svg = drawn(Picture(IMAGE, marks=(box("hit", 1, 1, 5, 5, text="<b>肺</b>", label="<i>"),)))
    assert "&lt;b&gt;肺&lt;/b&gt;" in svg and "<i>" not in svg
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 10:30] = 1
    assert 'class="obj' not in drawn(Picture(IMAGE, mask, mask, ("background", "lung")))


def test_every_kind_has_its_colour_and_the_legend_follows_one_order() -> None:
    sheet = page_style()
    assert all(f".pic .{kind} .rim" in sheet for kind in KINDS if kind != "false")
    marks = (box("false", 1, 1, 2, 2), box("found", 1, 1, 2, 2))
    assert kinds_of([Picture(IMAGE, marks=marks), Picture(IMAGE)]) == ["found", "false"]


def test_oblong_pixels_keep_their_shape() -> None:
    svg = drawn(Picture(np.zeros((20, 20)), spacing=(2.0, 1.0), marks=(box("hit", -0.5, -0.5, 19.5, 19.5),)), side=400)
    assert corners(group(svg, "hit")).max(axis=0).tolist() == [200.0, 400.0]
    assert Canvas.of((20, 20), (2.0, 1.0), 400).height == 400
