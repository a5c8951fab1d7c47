from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from isocenter.data import Boxes, Case, Image, NotEvaluated, merged
from isocenter.errors import BundleError
from isocenter.tasks.detect._fitted import FittedDetector
from isocenter.tasks.detect.yolo import Yolo

BRIEF = {"study.epochs": 1, "study.steps": 4, "study.batch_size": 2, "width": 4, "keep.least": 0.0}


@pytest.fixture(scope="module")
def fitted(made) -> FittedDetector:
    cases = made(8)
    return merged(Yolo(), BRIEF).fit(cases.split("train"), cases.split("val"))


def test_boxes_lie_on_the_images_own_grid_by_falling_score(made, fitted: FittedDetector) -> None:
    case = made(8).split("test")[0]
    found = fitted.predict(case)
    assert isinstance(found, Boxes)
    assert found.classes == ("big", "small")
    assert found.geometry == case.image().geometry
    assert (found.edges >= -0.5).all()
    assert (found.edges[:, 1] <= np.asarray(case.image().geometry.shape) - 0.5).all()
    for c in (0, 1):
        assert (np.diff(found.scores[found.labels == c]) <= 0).all()


def test_it_comes_back_from_its_state(made, fitted: FittedDetector) -> None:
    again = FittedDetector.from_state(json.loads(json.dumps(fitted.about)), fitted.state())
    case = made(8).split("test")[1]
    assert np.array_equal(again.predict(case).edges, fitted.predict(case).edges)


def test_odd_images_are_answered(odd: Image, fitted: FittedDetector) -> None:
    found = fitted.predict(Case.of(odd))
    assert isinstance(found, Boxes)
    assert found.geometry == odd.geometry
    assert isinstance(fitted.predict(Case.of(Image.from_array(np.full((9, 9), np.nan)))), NotEvaluated)


def test_volumes_come_back_to_their_own_orientation(made) -> None:
    cases = made(8, rank=3)
    network = merged(Yolo(), BRIEF).fit(cases.split("train"), cases.split("val"))
    plan = dict(network.about["plan"]) | {"orientation": "SPL"}
    turning = FittedDetector({**network.about, "plan": plan}, network.arrays)
    pixels = cases.split("test")[0].image().pixels()
    straight = Image.from_array(pixels, spacing=(1.0, 1.0, 1.0))
    geometry = straight.geometry.reoriented((0, 1, 2), (True, False, True))
    flipped = straight.replaced(lambda: np.flip(pixels, (0, 2)).copy(), geometry=geometry)
    a, b = turning.predict(Case.of(straight)), turning.predict(Case.of(flipped))
    assert b.geometry == geometry
    last = np.asarray(pixels.shape) - 1
    back = np.where([True, False, True], last - b.edges[:, ::-1], b.edges)
    assert np.allclose(a.edges, back, atol=1e-6)


def test_it_opens_for_gradients(made, fitted: FittedDetector) -> None:
    opened = fitted.opened()
    tensor = opened.prepare(made(8).split("test")[0]).requires_grad_()
    answer = opened.module(tensor)
    assert answer.shape[2] == 4 + 2
    answer[..., 4:].amax().backward()
    assert float(tensor.grad.abs().sum()) > 0
    assert set(opened.layers) <= set(dict(opened.module.named_modules()))
    assert torch.is_tensor(tensor)


def test_broken_parts_are_refused(fitted: FittedDetector) -> None:
    with pytest.raises(BundleError, match="lacks a part"):
        FittedDetector(fitted.about, {})
    with pytest.raises(BundleError, match="another question"):
        FittedDetector({**fitted.about, "plan": dict(fitted.about["plan"]) | {"task": "segment"}}, fitted.arrays)


def test_it_answers_without_torch(made, fitted: FittedDetector, tmp_path) -> None:
    np.savez(tmp_path / "state.npz", **{k.replace("/", "|"): v for k, v in fitted.state().items()})
    (tmp_path / "about.json").write_text(json.dumps(dict(fitted.about)), encoding="utf-8")
    case = made(8).split("test")[0]
    np.save(tmp_path / "image.npy", case.image().pixels())
    code = (
        "import sys, json; sys.modules['torch'] = None\n"
        "import numpy as np\n"
        "from isocenter.data import Case, Image\n"
        "from isocenter.tasks.detect.yolo import Yolo\n"
        f"folder = {str(tmp_path)!r}\n"
        "state = {k.replace('|', '/'): v for k, v in np.load(folder + '/state.npz').items()}\n"
        "found = Yolo.from_state(json.load(open(folder + '/about.json')), state)\n"
        "print(len(found.predict(Case.of(Image.from_array(np.load(folder + '/image.npy'))))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(fitted.predict(case))
