"""A registration leaves numbers, pictures and a page."""

import csv

import numpy as np
import pytest
from PIL import Image as Pillow
from scipy import ndimage

from isocenter.data import Case, Correspondence, Image, NotEvaluated, Segmentation, Transform
from isocenter.data.findings.matches import Matches
from isocenter.errors import UsageError
from isocenter.verbs._overlaid import FILES, is_pair, overlaid, registered, sentence
from isocenter.verbs.compare import compare
from isocenter.verbs.evaluate import evaluate
from isocenter.verbs.predict import predict

SHAPE = (60, 80)


def pair(shape=SHAPE, by=5):
    pixels = (40 * ndimage.gaussian_filter(np.random.default_rng(0).normal(size=shape), 2)).astype(np.float32)
    fixed, moving = Image.from_array(pixels), Image.from_array(np.roll(pixels, by, axis=-1))
    matrix = np.eye(len(shape) + 1)
    matrix[0, -1] = by
    return Case("p", {"fixed": fixed, "moving": moving}, "fixed"), Transform.of_matrix(
        matrix, fixed.geometry, moving.geometry)


def matched(true, n=6):
    at = np.random.default_rng(1).random((n, 2)) * 50
    return Transform(true.parts, true.fixed, true.moving, (("inliers", n - 1.0),),
                     Matches(at, true.points(at), np.arange(n) > 0))


def named(stem="p"):
    return {kind: stem + end for kind, end in FILES.items()}


def test_everything_is_written_and_the_numbers_say_what_happened(tmp_path):
    case, true = pair()
    (tmp_path / "l.csv").write_text("name,X,Y\napex,25,10\nlost,-900,10\n")
    kept, row = registered(matched(true), case, folder=tmp_path, files=named(), method="register/landmarks",
                           landmarks=tmp_path / "l.csv")
    assert set(kept) == set(named().values())
    assert all((tmp_path / name).is_file() for name in kept)
    assert row["correlation after"] > 0.99 > row["correlation before"]
    with (tmp_path / "p_landmarks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert (rows[0][""], float(rows[0]["X"]), float(rows[0]["Y"])) == ("apex", 20.0, 10.0)
    with Pillow.open(tmp_path / "p_checkerboard.png") as board, Pillow.open(tmp_path / "p_difference.png") as both:
        assert board.size == (80, 60)
        assert both.size[0] > 160
    html = (tmp_path / "p.report" / "report.html").read_text()
    assert "more alike" in html and "5 of 6 agree" in html and "<script" not in html


def test_landmarks_without_a_place_are_refused(tmp_path):
    case, true = pair()
    (tmp_path / "l.csv").write_text("name,X,Y\na,1,1\n")
    at = np.indices(SHAPE).astype(float)
    from isocenter.data.findings.transform import Field

    flat = Transform((Field(np.stack([-at[1], -at[0]]), true.fixed),), true.fixed, true.moving)
    with pytest.raises(UsageError, match="no landmark"):
        registered(flat, case, folder=tmp_path, files=named(), method="x", landmarks=tmp_path / "l.csv")


def test_a_map_that_bends_has_no_itk_text(tmp_path):
    case, true = pair()
    kept, _ = registered(true.as_field(), case, folder=tmp_path, files=named(), method="x")
    assert not {"p.tfm", "p_matches.csv", "p_landmarks.csv"} & set(kept)


def test_points_lie_where_they_are_in_the_pictures():
    case, true = pair()
    found = matched(true)
    shown = overlaid(case, found)
    assert np.allclose(shown.links.fixed_points, found.matches.fixed[:, ::-1])
    assert np.allclose(shown.links.moving_points, found.matches.moving[:, ::-1])
    assert "correlation" in shown.text and "0 % folded" in shown.text


def test_a_volume_is_shown_where_its_regions_are():
    case, true = pair((6, 30, 40))
    labels = np.zeros((6, 30, 40), np.uint8)
    labels[4, 5:9, 5:9] = 1
    truth = Correspondence(true.fixed, true.moving, regions=(
        Segmentation(labels, ("background", "organ"), true.fixed), Segmentation(labels, ("background", "organ"),
                                                                                true.moving)))
    shown = overlaid(case, true, truth)
    assert np.allclose(shown.image, case.images["fixed"].pixels()[4], atol=1e-4)
    assert shown.links is None


def test_no_answer_and_films():
    case, _ = pair()
    shown = overlaid(case, NotEvaluated("nothing in common", "3 pairs", "9"))
    assert shown.after is None and "nothing in common" in shown.text
    film = Image.from_array(np.zeros((3, *SHAPE), np.float32), axes="tyx")
    assert overlaid(Case("f", {"fixed": film, "moving": film}, "fixed"), NotEvaluated("x")) is None
    assert is_pair(case) and not is_pair(Case.of(film))


def test_what_is_unknown_is_said_so():
    words = sentence({"correlation before": None, "correlation after": 0.5, "overlap %": 40.0, "folding %": 2.0})
    assert words == ("correlation unknown before, 0.500 after; the moving image reaches 40 % of the fixed one; "
                     "2 % folded")


def test_predict_leaves_all_of_it_and_says_where_the_page_is(tmp_path):
    rng = np.random.default_rng(0)
    pixels = sum(ndimage.gaussian_filter(rng.normal(size=(220, 240)), s) * s for s in (1.5, 3, 6))
    pixels = np.clip(128 + 60 * pixels, 0, 255).astype(np.uint8)
    for name, part in (("a", pixels[:200, :220]), ("b", pixels[14:214, 9:229])):
        Pillow.fromarray(np.ascontiguousarray(part)).save(tmp_path / f"{name}.png")
    done = predict("register/landmarks", [str(tmp_path / "a.png"), str(tmp_path / "b.png")], out=tmp_path / "o")
    [item] = done.items
    assert item["answer"]["correlation after"] > 0.9
    assert "report.html" in done.lines()[0] and "m00" not in done.lines()[0]
    assert {"a_blink.gif", "a_matches.csv", "a.tfm", "a.report/report.html"} <= set(item["files"])
    again = predict("register/landmarks", [str(tmp_path / "a.png"), str(tmp_path / "b.png")], out=tmp_path / "o")
    assert again.skipped == 1
    with pytest.raises(UsageError, match="landmarks"):
        predict("register/landmarks", [str(tmp_path / "a.png"), str(tmp_path / "b.png")], out=tmp_path / "o.tfm",
                landmarks=tmp_path / "l.csv")


def pairs(folder, n=3):
    """A table of pairs with landmarks: views of one texture, shifted; the last pair shows two different things."""
    rng = np.random.default_rng(0)
    pixels = sum(ndimage.gaussian_filter(rng.normal(size=(240, 260)), s) * s for s in (1.5, 3, 6))
    pixels = np.clip(128 + 60 * pixels, 0, 255).astype(np.uint8)
    rows = ["fixed,moving,fixed_landmarks,moving_landmarks,split"]
    Pillow.fromarray(np.ascontiguousarray(pixels[:200, :220])).save(folder / "fixed.png")
    (folder / "fixed.csv").write_text(",X,Y\n1,60,70\n2,120,90\n3,90,150\n")
    for i in range(n):
        dy, dx = 5 + 4 * i, 9 + 3 * i
        moving = pixels[dy : dy + 200, dx : dx + 220]
        if i == n - 1:
            moving = rng.integers(0, 255, moving.shape).astype(np.uint8)
        Pillow.fromarray(np.ascontiguousarray(moving)).save(folder / f"m{i}.png")
        marks = [f"{k},{x - dx},{y - dy}" for k, (x, y) in enumerate(((60, 70), (120, 90), (90, 150)), 1)]
        (folder / f"m{i}.csv").write_text("\n".join([",X,Y", *marks]) + "\n")
        rows.append(f"fixed.png,m{i}.png,fixed.csv,m{i}.csv,test")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_the_report_of_an_evaluation_shows_the_worst_pair_and_its_reason(tmp_path):
    found = evaluate("register/landmarks", pairs(tmp_path), split="test", out=tmp_path / "o")
    html = (tmp_path / "o" / "report.html").read_text()
    assert "<b>Worst</b>" in html and "<b>Best</b>" in html
    assert "as they are: checkerboard" in html and "after: the two in turn" in html
    assert "share no content" in html or "too few pairs" in html
    assert "pairs of points:" in html and "fixed.png" not in html
    assert found.next.startswith("isocenter compare register") and "landmarks,intensity" in found.next
    drawn = {p.name for p in (tmp_path / "o" / "figures").iterdir()}
    assert {"case-landmarks-1-1.svg", "case-landmarks-3-5.svg"} <= drawn


def test_a_comparison_draws_pairs_of_every_method(tmp_path):
    compare("register", pairs(tmp_path, 2), methods=["landmarks", Still()],
            split="test", out=tmp_path / "o")
    html = (tmp_path / "o" / "report.html").read_text()
    assert html.count("after: checkerboard") >= 3 and 'class="blink"' in html


class Still:
    """Answers that nothing moved."""

    task = "register"

    def predict(self, case):
        return Transform.identity(case.images["fixed"].geometry, case.images["moving"].geometry)


def test_a_refused_pair_leaves_the_reason_and_no_file(tmp_path):
    folder = pairs(tmp_path, 1)
    done = predict("register/landmarks", [str(folder / "fixed.png"), str(folder / "m0.png")], out=tmp_path / "o")
    [item] = done.items
    assert item["status"] == "not evaluated" and item["files"] == []
    assert "pairs" in done.lines()[0]
    assert not list((tmp_path / "o").glob("*.gif"))


def test_one_named_file_is_the_transform_alone(tmp_path):
    folder = pairs(tmp_path, 2)
    predict("register/landmarks", [str(folder / "fixed.png"), str(folder / "m0.png")], out=tmp_path / "o" / "map.tfm")
    written = {p.name for p in (tmp_path / "o").iterdir()}
    assert "map.tfm" in written and not any(n.endswith((".gif", ".png", ".report")) for n in written)


def test_a_volume_has_pictures_and_numbers_too(tmp_path):
    case, true = pair((12, 40, 48), by=3)
    kept, row = registered(true, case, folder=tmp_path, files=named(), method="register/given")
    assert {"p.tfm", "p_blink.gif", "p.report/report.html"} <= set(kept)
    assert row["correlation after"] > 0.95 and row["folding %"] == 0
    assert "became more alike" in (tmp_path / "p.report" / "report.html").read_text()


def test_a_map_that_makes_images_less_alike_is_told_so(tmp_path):
    case, true = pair(by=0)
    matrix = np.eye(3)
    matrix[0, 2] = 17.0
    wrong = Transform.of_matrix(matrix, true.fixed, true.moving)
    registered(wrong, case, folder=tmp_path, files=named(), method="x")
    assert "became less alike" in (tmp_path / "p.report" / "report.html").read_text()
