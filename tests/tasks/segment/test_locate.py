"""From a map to a region: where the right height is known, kept in a bundle, and beside the centre box."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Attribution, Case, Cases, Image, NotEvaluated, Probabilities
from isocenter.errors import LabelError, RecipeError
from isocenter.tasks.explain.centre import Centre
from isocenter.tasks.explain.gradients import Gradients
from isocenter.tasks.explain.occlusion import Occlusion
from isocenter.tasks.segment.locate import HEIGHTS, Locate, above, boxed
from isocenter.verbs._method import resolve

SPLITS = ["train"] * 8 + ["val"] * 6 + ["test"] * 4


@dataclass(frozen=True)
class Smooth:
    """A map that is the image itself."""

    target: str = "ill"

    def predict(self, case: Case) -> Attribution:
        pixels = case.image().pixels().astype(np.float32)
        return Attribution(pixels, case.image().geometry, self.target, "itself")


def hills(n: int = 18) -> Cases:
    """A hill of height 1 whose truth is what lies above 0.6, and a second, lower one that is no truth."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:32, :40]
    images, masks = [], []
    for _ in range(n):
        cy, cx = rng.integers(8, 14), rng.integers(8, 30)
        hill = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 40)
        images.append(np.maximum(hill, 0.9 * np.exp(-((y - 27) ** 2 + (x - cx) ** 2) / 10)))
        masks.append(hill >= 0.6)
    return Cases.from_arrays(
        np.float32(images), np.uint8(masks), task="segment", splits=SPLITS[:n], classes=["lesion"]
    )


def test_the_height_is_chosen_on_val_and_only_there():
    cases = hills()
    fitted = Locate(of=Smooth()).fit(cases.split("train"), cases.split("val"))
    # No pixel lies between the two.
    assert fitted.height in (0.55, 0.6) and fitted.single is True and fitted.name == "lesion"
    for case in cases.split("test"):
        assert np.array_equal(fitted.predict(case).labels, case.truth().labels)
    assert Locate(of=Smooth(), height=0.3).fit(cases.split("train"), cases.split("val")).height == 0.3
    both = Locate(of=Smooth(), height=0.6, single=False).fit(cases.split("train"), cases.split("val"))
    assert (both.predict(cases[0]).labels > 0).sum() > (cases[0].truth().labels > 0).sum()


def test_train_plays_no_part_but_for_the_name():
    cases = hills()
    other = cases.subset([0, 1, 2])
    one, two = (Locate(of=Smooth()).fit(t, cases.split("val")) for t in (cases.split("train"), other))
    assert one == two


def test_where_the_classifier_says_nothing_there_is_nothing():
    cases = hills()
    made = Locate(of=Smooth("normal"), height=0.5, single=False, absent="normal")
    assert not made.predict(cases[0]).labels.any()
    assert Locate(of=Smooth(), height=0.5, single=False, absent="normal").predict(cases[0]).labels.any()


def test_above_and_boxed():
    values = np.array([[0.0, 0.2, 1.0, 0.6], [0.0, 0.0, 0.0, 0.0], [0.7, 0.0, np.nan, -3.0]])
    assert above(values, 0.5, single=False).sum() == 3
    assert np.argwhere(above(values, 0.5, single=True)).tolist() == [[0, 2], [0, 3]]
    assert not above(-np.abs(values), 0.5, single=True).any()
    assert np.array_equal(boxed(np.eye(3, dtype=bool)), np.ones((3, 3), bool))
    cases = hills()
    box = Locate(of=Smooth(), height=0.6, single=True, box=True).predict(cases[0]).mask("foreground")
    assert box.sum() > (cases[0].truth().labels > 0).sum() and np.array_equal(boxed(box), box)
    volume = Case.of(Image.from_array(np.random.default_rng(0).random((4, 5, 6))))
    assert Locate(of=Smooth(), height=0.5, single=True).predict(volume).labels.shape == (4, 5, 6)


def test_a_missing_map_is_no_answer_and_counts_as_empty():
    @dataclass(frozen=True)
    class Silent:
        def predict(self, case):
            return NotEvaluated("nothing to explain")

    cases = hills()
    assert Locate(of=Silent()).fit(cases.split("train"), cases.split("val")).height in HEIGHTS
    assert "nothing to explain" in Locate(of=Silent(), height=0.5, single=True).predict(cases[0]).reason


def test_what_is_refused():
    cases = hills()

    @dataclass(frozen=True)
    class Classifier:
        def predict(self, case):
            return Probabilities(("a", "b"), (0.5, 0.5))

    with pytest.raises(RecipeError, match="needs an explanation"):
        Locate().fit(cases.split("train"), cases.split("val"))
    with pytest.raises(RecipeError, match="explain/gradients"):
        Locate(of=Classifier()).fit(cases.split("train"), cases.split("val"))
    with pytest.raises(RecipeError, match="not chosen yet"):
        Locate(of=Smooth()).predict(cases[0])
    with pytest.raises(LabelError, match="no case of val"):
        Locate(of=Smooth()).fit(cases.split("train"), cases.split("val").subset([]))


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (24, 24, 24)).astype(np.float32)
    for i in range(0, 24, 2):
        x[i, 4:12, 6:14] += 4
    cases = Cases.from_arrays(x, ["mass", "none"] * 12, splits=["train"] * 16 + ["val"] * 8)
    settings = {"study.epochs": 2, "study.steps": 6, "study.batch_size": 8, "study.learning_rate": 0.01, "width": 4}
    out = tmp_path_factory.mktemp("locate") / "mass.bundle"
    iso.train("classify", cases, method="cnn", settings=settings, out=out, threads=1)
    # Pictures that it has not studied.
    return out, x + rng.normal(0, 0.1, x.shape).astype(np.float32)


def masked(x: np.ndarray) -> Cases:
    masks = np.zeros(x.shape, np.uint8)
    masks[:, 4:12, 6:14] = 1
    return Cases.from_arrays(
        x[::2], masks[::2], task="segment", splits=["train"] * 4 + ["val"] * 4 + ["test"] * 4, classes=["mass"]
    )


@pytest.mark.parametrize("explain", ["explain/gradients", "explain/occlusion", "explain/centre"])
def test_it_is_kept_in_a_bundle_with_all_that_it_needs(classifier, tmp_path, explain):
    bundle, x = classifier
    part = {"use": explain, "of": {"use": str(bundle)}, "target": "mass"}
    part |= {"patch": 8} if explain.endswith("occlusion") else {}
    iso.train("segment", masked(x), method="locate", settings={"of": part}, out=tmp_path / "l.bundle", threads=1)
    found = resolve(str(tmp_path / "l.bundle")).object
    assert found.height in HEIGHTS and found.of.target == "mass"
    answer = found.predict(masked(x)[9])
    assert answer.regions == ("mass",) and answer.labels.any()


@pytest.mark.parametrize("kind", [Gradients, Occlusion, Centre])
def test_the_way_to_json_and_back(classifier, kind):
    bundle, x = classifier
    method = Locate(of=kind(of=iso.load(bundle), target="mass"), height=0.4, single=True)
    about = json.loads(json.dumps(method.about))
    again = Locate.from_state(about, {k: v.copy() for k, v in method.state().items()})
    assert again.height == 0.4 and type(again.of) is kind and again.of.target == "mass"
    case = masked(x)[9]
    assert np.array_equal(again.predict(case).labels, method.predict(case).labels)


def test_it_stands_in_one_table_with_the_centre_box(classifier):
    bundle, x = classifier
    part = {"use": "explain/gradients", "of": {"use": str(bundle)}, "target": "mass"}
    methods = ["locate", "centre_box"]
    table = iso.compare("segment", masked(x), methods=methods, settings={"locate.of": part}, threads=1)
    text = "\n".join(table.lines())
    assert "locate - centre_box" in text or "centre_box - locate" in text
