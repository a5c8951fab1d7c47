"""Two images as two channels on the fixed grid, brought near by another method, with their regions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from isocenter.data import (
    Case,
    Cases,
    Correspondence,
    Entry,
    Geometry,
    Image,
    NotEvaluated,
    Segmentation,
    Transform,
    Watch,
)
from isocenter.errors import BundleError, InputError, NotFoundError, RecipeError
from isocenter.tasks.register._pairing import Centred, Part, brought, described, near, paired, restored, seen
from isocenter.tasks.register.intensity import Intensity
from isocenter.tasks.register.landmarks import Landmarks

WATCH = Watch(threads=1)
NAMES = ("background", "spot")


def case(*, shapes=((12, 16), (20, 10)), spacing=(1.0, 1.0), regions: bool = True) -> Case:
    """A bright block three pixels up and left of the middle of each image."""
    images, masks = {}, []
    for role, shape in zip(("fixed", "moving"), shapes, strict=True):
        values = np.zeros(shape, np.float32)
        middle = [n // 2 for n in shape]
        values[tuple(slice(m - 3, m) for m in middle)] = 5.0
        images[role] = Image.from_array(values, spacing=spacing)
        masks.append(Segmentation((values > 0).astype(np.uint8), NAMES, images[role].geometry))
    truth = Correspondence(masks[0].geometry, masks[1].geometry, regions=(masks[0], masks[1]))
    return Case("x", images, "fixed", load_truth=(lambda: truth) if regions else None)


def cases(*made: Case) -> Cases:
    return Cases(tuple(Entry(f"c{i}", lambda c=c: c) for i, c in enumerate(made)), "pairs", "register")


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (2.0, 0.5), None])
def test_middle_lies_on_middle(spacing: tuple[float, float] | None) -> None:
    found = Centred().predict(case(spacing=spacing))
    assert np.allclose(found.indices(np.array([[5.5, 7.5]])), [[9.5, 4.5]])
    assert isinstance(Centred(), Part)


def test_worlds_of_another_kind_have_no_middle_in_common() -> None:
    one = case()
    flat = replace(one, images={"fixed": one.image("fixed"), "moving": Image.from_array(np.zeros((4, 4)))})
    deep = replace(one, images={"fixed": one.image("fixed"), "moving": Image.from_array(np.zeros((3, 4, 4)),
                                                                                        spacing=(1.0, 1.0, 1.0))})
    for other in (flat, deep):
        found = Centred().predict(other)
        assert isinstance(found, NotEvaluated) and "in common" in found.reason


def test_both_images_and_regions_lie_on_the_fixed_grid() -> None:
    one = case()
    made = paired(one, Centred().predict(one))
    image, truth = made.image(), made.truth()
    assert image.axes == "cyx" and image.shape == (2, 12, 16) and image.channels == ("fixed", "moving")
    assert image.geometry == one.image("fixed").geometry and image.pixels().dtype == np.float32
    assert np.allclose(*image.pixels()), "the block lies at the same place from the middle of each"
    assert isinstance(truth, Correspondence) and truth.regions[1].geometry == image.geometry
    assert np.array_equal(truth.regions[0].labels, truth.regions[1].labels) and truth.regions[1].labels.sum() == 9


def test_beyond_the_moving_image_its_edge_goes_on() -> None:
    one = case(shapes=((12, 30), (12, 10)))
    moving = one.image("moving").replaced(lambda: np.full((12, 10), 7.0, np.float32))
    one = replace(one, images={**one.images, "moving": moving})
    assert (paired(one, Centred().predict(one)).image().pixels()[1] == 7).all()


def test_a_case_without_regions_brings_none() -> None:
    blind = case(regions=False)
    assert paired(blind, Centred().predict(blind)).truth() is None
    known = replace(blind, load_truth=lambda: Centred().predict(blind))
    assert paired(known, Centred().predict(known)).truth() is None


def test_volumes_keep_their_three_axes() -> None:
    deep = case(shapes=((8, 10, 12), (10, 12, 8)), spacing=(2.0, 1.0, 1.0))
    made = paired(deep, Centred().predict(deep))
    assert made.image().axes == "czyx" and made.image().shape == (2, 8, 10, 12)
    assert made.truth().regions[1].labels.any()


def test_colours_become_grey_and_transparency_is_no_colour() -> None:
    values = np.stack([np.full((2, 2), v) for v in (3.0, 6.0, 9.0, 255.0)])
    found = seen(Image.from_array(values, axes="cyx", channels=("r", "g", "b", "alpha")))
    assert (found == 6).all() and found.dtype == np.float32
    with pytest.raises(InputError, match="finite"):
        seen(Image.from_array(np.full((2, 2), np.nan)))


def test_pixels_that_are_no_numbers_are_said_with_their_side() -> None:
    one = case()
    bad = one.image("moving").replaced(lambda: np.full((20, 10), np.nan, np.float32))
    found = near(replace(one, images={**one.images, "moving": bad}), Centred())
    assert isinstance(found, NotEvaluated) and found.reason.endswith("(moving)")
    with pytest.raises(NotFoundError):
        near(replace(one, images={"fixed": one.image("fixed")}), Centred())


@dataclass(frozen=True)
class Some:
    """Middles, but for images with a first row of 9."""

    def predict(self, case: Case) -> Transform | NotEvaluated:
        if (case.image("fixed").pixels()[0] == 9).all():
            return NotEvaluated("a row of 9")
        return Centred().predict(case)


def test_pairs_for_which_the_start_has_no_map_are_left_out_and_counted() -> None:
    one, other = case(), case()
    values = other.image("fixed").pixels().copy()
    values[0] = 9
    other = replace(other, images={**other.images, "fixed": other.image("fixed").replaced(lambda: values)})
    told: list[float] = []
    watch = Watch(threads=1, report=lambda p: told.append(p.share))
    near_ones, lost = brought(cases(one, other, one), Some(), watch=watch)
    assert (len(near_ones), lost) == (2, 1) and near_ones.classes == ("spot",) and len(told) == 3
    assert near_ones[0].image().shape == (2, 12, 16)
    with pytest.raises(InputError, match="no pair"):
        brought(cases(other), Some(), watch=WATCH)
    assert brought(cases(), Some(), watch=WATCH)[1] == 0


def test_pairs_without_truth_take_part() -> None:
    blind = cases(case(regions=False))
    blind = replace(blind, entries=tuple(replace(e, unlabelled=True) for e in blind.entries))
    found, lost = brought(blind, Centred(), watch=WATCH)
    assert lost == 0 and not found.entries[0].unlabelled and found.classes == ()


def test_a_start_is_written_down_and_comes_back() -> None:
    assert restored(described(Centred()), {}) == Centred()
    made = Landmarks(ratio=0.7)
    assert restored(described(made), {}) == made
    for part in (Some(), Intensity(start=Centred())):
        with pytest.raises(RecipeError, match="cannot be kept"):
            described(part)
    for said in ("os:system", "isocenter.tasks.register.landmarks:np", "isocenter.tasks.segment.unet:UNet", ""):
        with pytest.raises(BundleError, match="no method"):
            restored({"class": said, "about": {"recipe": {}}}, {})


def test_an_image_without_axes_in_common_keeps_its_geometry() -> None:
    plane = Geometry((6, 6), ((0.0, 1.0, 5.0), (1.0, 0.0, -2.0), (0.0, 0.0, 1.0)))
    image = Image.from_array(np.arange(36.0).reshape(6, 6), geometry=plane)
    one = Case("x", {"fixed": image, "moving": image}, "fixed")
    assert np.allclose(*paired(one, Centred().predict(one)).image().pixels())
