from __future__ import annotations

import json

import numpy as np
import pytest

from isocenter.data import Boxes, Case, Image, NotEvaluated
from isocenter.errors import InputError
from isocenter.tasks.detect.template import FittedTemplate, Template


@pytest.fixture(scope="module")
def fitted(made) -> FittedTemplate:
    cases = made()
    return Template().fit(cases.split("train"), cases.split("val"))


def test_it_learns_its_templates(made, share_found, fitted: FittedTemplate) -> None:
    assert fitted.about["classes"] == ["big", "small"]
    assert set(fitted.state()) == {"template/0", "template/1"}
    # The disc in its box: bright in the middle, dark in the corners.
    big = fitted.arrays["template/0"][0]
    assert abs(len(big) - 17) <= 1
    assert big[8, 8] > big[0, 0] + 1
    assert share_found(fitted, made().split("test")) > 0.9


def test_dark_colour_and_volumes_too(made, share_found) -> None:
    for how in ({"colour": True, "dark": True}, {"rank": 3}):
        cases = made(**how)
        method = Template(scales=(1.0,)).fit(cases.split("train"), cases.split("val"))
        assert share_found(method, cases.split("test")) > 0.8


def test_it_comes_back_from_its_state(made, fitted: FittedTemplate) -> None:
    again = Template.from_state(json.loads(json.dumps(fitted.about)), fitted.state())
    case = made().split("test")[0]
    a, b = fitted.predict(case), again.predict(case)
    assert np.array_equal(a.edges, b.edges)
    assert np.array_equal(a.scores, b.scores)
    assert (np.diff(a.scores) <= 0).all()


def arrow() -> np.ndarray:
    out = np.zeros((9, 9), np.float32)
    out[4, 1:8] = 1
    out[2:7, 6] = 1
    return out


def test_a_given_template_is_found_in_every_size_and_turn() -> None:
    image = np.random.default_rng(0).normal(0, 0.05, (60, 90)).astype(np.float32)
    image[10:19, 10:19] += arrow()
    image[30:39, 40:49] += np.rot90(arrow())
    image[20:38, 65:83] += np.kron(arrow(), np.ones((2, 2), np.float32))
    case = Case.of(Image.from_array(image))
    every = Template(scales=(1.0, 2.0), turns=4).of({"arrow": arrow()}).predict(case)
    top = every.chosen(every.scores > 0.8)
    assert sorted(np.round(top.edges.mean(1)).tolist()) == [[14, 14], [28, 74], [34, 44]]
    assert sorted(top.sizes[:, 0].tolist()) == [9, 9, 18]
    only = Template().of({"arrow": arrow()}).predict(case)
    assert (only.scores > 0.8).sum() == 1
    assert only.classes == ("arrow",)


def test_a_template_larger_than_the_image_is_refused() -> None:
    method = Template().of({"arrow": arrow()})
    found = method.predict(Case.of(Image.from_array(np.random.default_rng(0).random((8, 40)))))
    assert isinstance(found, NotEvaluated)
    assert "larger than the image" in found.reason
    assert found.measured == "8 x 40 px" and found.limit == "more than 9 x 9 px"


def test_templates_that_cannot_be() -> None:
    with pytest.raises(InputError, match="no template"):
        Template().of({})
    with pytest.raises(InputError, match="too small"):
        Template().of({"dot": np.ones((2, 2))})


def test_a_grey_template_is_looked_for_in_colour_and_the_other_way() -> None:
    grey = np.zeros((40, 40), np.float32)
    grey[12:21, 15:24] = arrow()
    colour = Image.from_array(np.stack([grey] * 3), axes="cyx")
    three = Template().of({"arrow": np.stack([arrow()] * 3)})
    for method, image in ((Template().of({"arrow": arrow()}), colour), (three, Image.from_array(grey))):
        best = method.predict(Case.of(image)).ranked()
        assert best.edges[0].tolist() == [[11.5, 14.5], [20.5, 23.5]]


def test_odd_images_are_answered(odd: Image, fitted: FittedTemplate) -> None:
    found = fitted.predict(Case.of(odd))
    assert isinstance(found, (Boxes, NotEvaluated))
    if isinstance(found, Boxes):
        assert found.geometry == odd.geometry
        assert np.isfinite(found.scores).all()
    else:
        assert min(odd.shape) < 8


def test_pixels_that_are_no_numbers(fitted: FittedTemplate) -> None:
    assert isinstance(fitted.predict(Case.of(Image.from_array(np.full((30, 30), np.nan)))), NotEvaluated)
