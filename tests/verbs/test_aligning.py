"""Examinations share a world, or a method brings them together; nothing is guessed."""

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Geometry, Image, Instances, NotEvaluated, Transform
from isocenter.errors import GeometryError, InputError, UsageError
from isocenter.inspect.following import Exam
from isocenter.simulate.follow_up import Ball, examination, moved
from isocenter.verbs._aligning import aligned
from isocenter.verbs._recipe import Settings

GRID = Geometry.from_spacing((60, 64), (1.0, 1.0))
NONE = Settings()


def exam(name="e", *, grid=GRID, frame=None, lies=None, image=True):
    picture, labels = examination([Ball((30.0, 30.0), 6.0)], grid, lies=lies, noise=1.0)
    held = replace(grid, frame=frame)
    found = Instances.from_label_map(labels, held)
    return Exam(name, found, picture.replaced(picture.load, geometry=held) if image else None)


class Known:
    """Answers with a matrix, or not."""

    def __init__(self, matrix=None):
        self.matrix = matrix

    def predict(self, case):
        if self.matrix is None:
            return NotEvaluated("the images share no content", "3 pairs", "9")
        return Transform.of_matrix(self.matrix, *(case.images[r].geometry for r in ("fixed", "moving")))


def test_one_frame_of_reference_is_one_world():
    ways, words, facts, notes = aligned([exam(frame="1.2"), exam(frame="1.2")], None, settings=NONE)
    assert np.allclose(ways[1].points(np.array([[3.0, 4.0]])), [[3, 4]])
    assert "frame of reference" in words[1] and notes == ()
    assert facts[1]["correlation after"] > 0.9


def test_one_grid_is_taken_as_aligned_and_that_is_said():
    _, words, _, notes = aligned([exam(), exam()], None, settings=NONE)
    assert words == ["the baseline", "one grid"] and "taken as aligned" in notes[0]


@pytest.mark.parametrize("second", [
    exam(frame="9.9"), exam(grid=Geometry.from_spacing((60, 64), (1.0, 1.0), origin=(5.0, 0.0))),
])
def test_what_shares_no_world_is_refused_unless_it_is_said_to(second):
    first = exam(frame="1.2" if second.found.geometry.frame else None)
    with pytest.raises(GeometryError, match="--register"):
        aligned([first, second], None, settings=NONE)
    assert aligned([first, second], "world", settings=NONE)[1][1] == "the headers' world, as asked"


def test_a_method_brings_them_together():
    lies = moved(2, turn=0, shift=(4.0, -2.0))
    ways, words, facts, _ = aligned([exam(), exam(lies=lies)], Known(lies), settings=NONE)
    assert np.allclose(ways[1].points(np.array([[30.0, 30.0]])), [[34, 28]])
    assert words[1].startswith("register/")
    assert facts[1]["correlation after"] > 0.95 > facts[1]["correlation before"]


def test_key_points_find_the_way_between_real_textures():
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(220, 220)).cumsum(0).cumsum(1)
    pixels = (pixels - pixels.mean()) / pixels.std() + rng.normal(size=pixels.shape) * 0.2
    grids = [Geometry.from_spacing((190, 190), (0.5, 0.5))] * 2
    found = [Instances.none(("object",), g, scored=False) for g in grids]
    images = [Image.from_array(p.astype(np.float32), geometry=g) for p, g in
              zip((pixels[:190, :190], pixels[12:202, 8:198]), grids, strict=True)]
    exams = [Exam("e", f, i) for f, i in zip(found, images, strict=True)]
    ways, words, _, _ = aligned(exams, "landmarks", settings=NONE)
    assert words[1] == "register/landmarks"
    assert np.allclose(ways[1].points(np.array([[50.0, 40.0]])), [[46, 34]], atol=0.5)


def test_a_method_needs_images_and_may_fail():
    with pytest.raises(UsageError, match="needs the images"):
        aligned([exam(), exam(image=False)], Known(np.eye(3)), settings=NONE)
    with pytest.raises(InputError, match="share no content"):
        aligned([exam(), exam()], Known(), settings=NONE)


def test_planes_and_volumes_are_not_followed_to_each_other():
    volume = Geometry.from_spacing((4, 60, 64), (1.0, 1.0, 1.0))
    other = Exam("v", Instances.none(("object",), volume, scored=False))
    for second in (other, exam(image=False, grid=GRID), Exam("p", Instances.none(("o",), Geometry((60, 64))))):
        if second.found.geometry.same_grid(GRID):
            continue
        with pytest.raises(GeometryError, match="another kind"):
            aligned([exam(), second], "world", settings=NONE)


def test_progress_is_told_an_examination():
    told = []
    aligned([exam()] * 3, "world", settings=NONE, report=told.append)
    assert [p.share for p in told] == [0.5, 1.0]
