from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Boxes, Case, Image, NotEvaluated, Segmentation
from isocenter.errors import OutputError, UnreadableError, UsageError
from isocenter.verbs.predict import Predictions, predict


def test_a_path_a_case_an_image_and_an_array_give_the_finding(disc_bundle: Path, discs_folder: Path) -> None:
    path = discs_folder / "images" / "case00.png"
    array = iso.read(path).image().pixels()
    found = [predict(disc_bundle, v, threads=1) for v in (path, iso.read(path), Image.from_array(array), array)]
    assert all(isinstance(f, Segmentation) and np.array_equal(f.labels, found[0].labels) for f in found)
    several = predict(disc_bundle, [path, array])
    assert len(several) == 2 and np.array_equal(several[1].labels, found[0].labels)


def test_settings_of_a_classical_method(discs_folder: Path) -> None:
    path = discs_folder / "images" / "case00.png"
    bright = predict("segment/histogram", path, settings={"target": -1})
    dark = predict("segment/histogram", path, settings={"target": 0})
    assert (bright.labels + dark.labels == 1).all()


def test_to_a_folder(disc_bundle: Path, discs_folder: Path, tmp_path: Path) -> None:
    made = predict(disc_bundle, discs_folder / "images", out=tmp_path / "out", threads=1)
    assert isinstance(made, Predictions) and len(made.items) == 24 and made.exit_code == 0
    assert made.as_json()["n_refused"] == 0
    again = predict(disc_bundle, discs_folder / "images", out=tmp_path / "out")
    assert again.skipped == 24
    other = predict("segment/histogram", discs_folder / "images", out=tmp_path / "out")
    assert other.exit_code == 3 and len(other.problems) == 24, "answers of another method are not replaced"


def test_no_answer_is_said_and_leaves_no_empty_mask(discs_folder: Path, tmp_path: Path) -> None:
    class Shy:
        task = "segment"

        def predict(self, case: Case) -> NotEvaluated:
            return NotEvaluated("too dark")

    made = predict(Shy(), discs_folder / "images" / "case00.png", out=tmp_path / "out")
    assert made.items[0]["status"] == "not evaluated" and "too dark" in made.lines()[0]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["predictions.csv", "predictions.json"]


def test_the_only_input_is_refused_and_nothing_stays(disc_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(UnreadableError):
        predict(disc_bundle, tmp_path / "torn.png", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_refused_input_is_named_once(disc_bundle: Path, discs_folder: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.png"
    torn.write_bytes(b"\x89PNG\r\n\x1a\n")
    made = predict(disc_bundle, [torn, discs_folder / "images" / "case00.png"], out=tmp_path / "out")
    assert made.exit_code == 3 and made.lines()[0].count(str(torn)) == 1


def test_what_cannot_be(disc_bundle: Path, discs_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="must be trained first"):
        predict("segment/unet", discs_folder / "images" / "case00.png")
    with pytest.raises(UsageError, match="only files"):
        predict(disc_bundle, np.zeros((8, 8), np.uint8), out=tmp_path / "out")
    with pytest.raises(UsageError, match="several images"):
        predict(disc_bundle, discs_folder / "images")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        predict(disc_bundle, discs_folder / "images" / "case00.png", out=tmp_path / "file" / "out")


def test_roles_and_facts_by_name(disc_bundle: Path, discs_folder: Path, tmp_path: Path) -> None:
    path = discs_folder / "images" / "case00.png"
    made = predict(disc_bundle, [f"image={path}", "age=40"], out=tmp_path / "out")
    assert made.items[0]["status"] == "answered" and (tmp_path / "out" / "case00.png").is_file()


def test_a_name_binds_to_the_case_not_to_the_folder(disc_bundle: Path, discs_folder: Path, tmp_path: Path) -> None:
    path = discs_folder / "images" / "case00.png"
    both = [path, path]
    made = predict(disc_bundle, both, out=tmp_path / "out")
    assert len({i["files"][0] for i in made.items}) in (1, 2) and made.exit_code == 0


class Finder:
    """One box, always the same."""

    task = "detect"

    def predict(self, case: Case) -> Boxes:
        edges = np.array([[[0.5, 1.5], [4.5, 8.5]]])
        return Boxes(edges, np.array([0]), ("cell",), case.image().geometry, np.array([0.5]))


def test_boxes_to_a_folder_and_in_formats_asked_for_later(discs_folder: Path, tmp_path: Path) -> None:
    path, out = discs_folder / "images" / "case00.png", tmp_path / "out"
    made = predict(Finder(), path, out=out)
    assert made.items[0]["answer"] == {"boxes": 1}
    assert made.items[0]["files"] == ["case00.csv", "case00_overlay.png", "case00.json"]
    again = predict(Finder(), path, out=out, formats=["geojson", "voc"])
    assert again.skipped == 0 and (out / "case00.geojson").is_file() and (out / "case00.xml").is_file()
    assert predict(Finder(), path, out=out, formats=["voc"]).skipped == 1
    single = predict(Finder(), path, out=tmp_path / "one.xml")
    assert single.items[0]["files"] == ["one.xml"] and "<xmin>3</xmin>" in (tmp_path / "one.xml").read_text()
    with pytest.raises(UsageError, match="no format 'nrrd'"):
        predict(Finder(), path, out=out, formats=["nrrd"])


class Unsure:
    """Three boxes, of which one is sure."""

    task = "detect"

    def predict(self, case: Case) -> Boxes:
        edges = np.array([[[0.5, 1.5], [4.5, 8.5]]] * 3) + np.arange(3)[:, None, None]
        return Boxes(edges, np.array([0, 0, 0]), ("cell",), case.image().geometry, np.array([0.8, 0.4, 0.1]))


def test_boxes_that_are_sure_enough_are_written_and_the_others_told(discs_folder: Path, tmp_path: Path) -> None:
    path, out = discs_folder / "images" / "case00.png", tmp_path / "out"
    made = predict(Unsure(), path, out=out)
    assert made.items[0]["answer"] == {"boxes": 1}
    assert any("boxes 1 (2 less sure than 0.5 left out; --least 0 writes all)" in line for line in made.lines())
    assert len((out / "case00.csv").read_text().splitlines()) == 2
    with pytest.raises(OutputError):
        predict(Unsure(), path, out=out, least=0.0)
    every = predict(Unsure(), path, out=out, least=0.0, overwrite=True)
    assert every.items[0]["answer"] == {"boxes": 3} and every.items[0]["note"] == ""
    assert len(predict(Unsure(), path)) == 3
    with pytest.raises(UsageError, match="between 0 and 1"):
        predict(Unsure(), path, out=tmp_path / "b", least=2.0)


def test_a_part_has_a_record_of_its_own(disc_bundle: Path, discs_folder: Path, tmp_path: Path) -> None:
    image = sorted((discs_folder / "images").glob("*.png"))[0]
    settings = {"on": {"use": str(disc_bundle)}, "start": {"region": {"use": "segment/histogram", "levels": 3}}}
    found = predict("segment/region_growing", str(image), out=tmp_path / "a", settings=settings)
    assert found.items[0]["status"] == "answered"
    record = found.items[0]["made"]
    assert record["parameters"]["on"] == "FittedSegmenter"
    kinds = {p["method"]: p for p in record["parts"]}
    assert kinds["segment/unet"]["bundle"] == disc_bundle.name and "bundle_sha256" in kinds["segment/unet"]
    assert kinds["segment/histogram"]["parameters"]["levels"] == 3
    again = predict("segment/region_growing", str(image), out=tmp_path / "a", settings=settings)
    assert again.skipped == 1, "what was written is what is compared"
