from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Geometry, Instances
from isocenter.errors import TableError
from isocenter.inspect.measuring import objects_of
from isocenter.inspect.over_time import AREA, DISCS, VOLUME, Moment, curves, ejections, moment

FLAT = Geometry((20, 20))


def cavity(area: int, *, piece: str = "", frame: str = "0", grid: Geometry = FLAT, subject: str = "p") -> Moment:
    return Moment(subject, piece, frame, {"lv": area}, grid)


def test_one_slice_is_judged_by_its_area() -> None:
    made = [cavity(a, frame=str(i)) for i, a in enumerate((90, 100, 60, 40, 80))]
    assert [r["area_px"] for r in curves(made).rows] == [90, 100, 60, 40, 80]
    (row,) = ejections(made).rows
    assert row["basis"] == AREA and row["ejection_fraction_percent"] == pytest.approx(60)
    assert (row["ed_frame"], row["es_frame"], row["ed_area_px"], row["es_area_px"]) == ("1", "3", 100, 40)


def test_slices_together_are_judged_by_their_volume_at_one_pair_of_frames() -> None:
    # The second slice is largest in the frame in which the whole is smallest.
    sizes = (("1", "2", 50), ("1", "10", 100), ("2", "2", 30), ("2", "10", 20))
    made = [cavity(a, piece=p, frame=f) for p, f, a in sizes]
    rows = ejections(made).rows
    assert [(r["slice"], r["basis"]) for r in rows] == [("1", AREA), ("2", AREA), ("all", DISCS)]
    assert [r["ejection_fraction_percent"] for r in rows] == pytest.approx([50, 100 / 3, 100 / 3])
    assert rows[2]["ed_frame"] == "10" and rows[2]["slices"] == 2 and rows[2]["slices_left_out"] == 0
    assert [r["frame"] for r in curves(made).rows] == ["2", "10"] * 3


def test_a_slice_that_lacks_a_frame_is_left_out_of_the_volume_and_counted() -> None:
    made = [cavity(a, piece=p, frame=f) for p, f, a in (("1", "0", 80), ("1", "1", 40), ("2", "0", 900), ("3", "0", 20),
                                                        ("3", "1", 10))]
    whole = ejections(made).rows[-1]
    assert whole["ejection_fraction_percent"] == pytest.approx(50)
    assert (whole["slices"], whole["slices_left_out"], whole["ed_area_px"]) == (2, 1, 100)


def test_volumes_are_judged_as_such_and_units_follow() -> None:
    grid = Geometry.from_spacing((4, 20, 20), (5.0, 1.0, 1.0))
    made = [cavity(a, frame=str(i), grid=grid) for i, a in enumerate((400, 200))]
    (row,) = ejections(made).rows
    assert row["basis"] == VOLUME and row["ed_volume_ml"] == 2.0 and row["es_volume_ml"] == 1.0
    assert curves(made).rows[1]["volume_ml"] == 1.0


def test_subjects_and_classes_stay_apart_and_nothing_has_no_fraction() -> None:
    both = [Moment(s, "", f, {"lv": a, "rv": 0}, FLAT) for s, f, a in (("p", "0", 9), ("p", "1", 3), ("q", "0", 5))]
    rows = ejections(both).rows
    assert [(r["subject"], r["class"]) for r in rows] == [("p", "lv")]
    assert len(curves(both).rows) == 6
    assert ejections([]).rows == () and "ejection_fraction_percent" in ejections([]).header


def test_a_frame_given_twice_is_refused() -> None:
    with pytest.raises(TableError, match=r"twice.*--slice"):
        curves([cavity(1), cavity(2)])


def test_pixels_that_objects_share_count_once() -> None:
    masks = (np.ones((4, 4), bool), np.ones((4, 4), bool))
    found = Instances(np.array([[2, 2], [4, 2]]), masks, np.zeros(2, np.int64), ("cell", "other"), FLAT)
    made = moment(found, frame="3", seconds=0.5)
    assert made.pixels == {"cell": 24, "other": 0} and made.seconds == 0.5
    assert curves([made]).rows[0]["time_s"] == 0.5


def test_cavities_of_real_hearts(real_data: Callable[[str], Path]) -> None:
    from PIL import Image

    folder = real_data("cardiac-mr-sunnybrook")
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["subject"] in ("SC-HF-I-01", "SC-N-02")]
    made = []
    for r in rows:
        mask = (np.asarray(Image.open(folder / r["mask"])) > 0).astype(np.uint8)
        found, _ = objects_of(mask, Geometry(mask.shape), names={1: "lv"})
        made.append(moment(found, subject=r["subject"], piece=r["slice"], frame=r["phase"]))
        assert made[-1].pixels["lv"] == int(r["lv_area_px"])
    whole = {r["subject"]: r for r in ejections(made).rows if r["basis"] == DISCS}
    with (folder / "ed_es_pairs.csv").open(encoding="utf-8") as file:
        pairs = [r for r in csv.DictReader(file) if r["subject"] in whole]
    for subject, row in whole.items():
        own = [r for r in pairs if r["subject"] == subject]
        high, low = (sum(int(r[f"{end}_area_px"]) for r in own) for end in ("ed", "es"))
        assert row["slices"] == len(own) and row["ejection_fraction_percent"] == pytest.approx(100 * (1 - low / high))
    # A failing heart and a normal one.
    assert whole["SC-HF-I-01"]["ejection_fraction_percent"] < 40 < whole["SC-N-02"]["ejection_fraction_percent"]
