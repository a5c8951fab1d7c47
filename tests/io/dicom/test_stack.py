from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from isocenter.data import Problem
from isocenter.errors import AmbiguousError, GeometryError
from isocenter.io.dicom.facts import Coding, Header, Slice
from isocenter.io.dicom.stack import Stacked, stacked

CODING = Coding("1.2", 0x7FE00010, 500, 70, b"OW", 5, 7, 1, 1, 16, 16, 15, True, "<i2", "MONOCHROME2", 0)
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def header(*slices: Slice, modality: str = "CT", **fields: object) -> Header:
    coding = dataclasses.replace(CODING, frames=len(slices))
    made = Header("a.dcm", {"FrameOfReferenceUID": "9"}, "", modality, "", (), 1, "", coding, slices)
    return dataclasses.replace(made, **fields)  # type: ignore[arg-type]


def at(z: float, *, x: float = 0.0, y: float = 0.0, orientation: Sequence[float] = AXIAL, **fields: object) -> Slice:
    marks = tuple((k, float(v)) for k, v in fields.items() if k != "seconds")  # type: ignore[arg-type]
    seconds = fields.get("seconds")
    return Slice((x, y, z), tuple(orientation), (0.5, 0.25), marks=marks, seconds=seconds)  # type: ignore[arg-type]


def files(*slices: Slice) -> list[Header]:
    return [header(s) for s in slices]


def order(found: Stacked) -> list[int]:
    return [file for file, _ in found.order]


def test_slices_are_sorted_by_place_and_not_by_name() -> None:
    found = stacked("folder", files(at(6), at(0), at(9), at(3)))
    assert order(found) == [1, 3, 0, 2]
    assert found.lead == (("z", 4),)
    assert found.geometry.spacing == (3.0, 0.5, 0.25)
    assert found.geometry.orientation == "SPL"
    assert found.geometry.frame == "9"


def test_places_are_where_the_files_say() -> None:
    found = stacked("folder", files(*(at(2.0 * k, x=10, y=-20) for k in range(3))))
    np.testing.assert_allclose(found.geometry.to_world(np.asarray([[2, 4, 6]])), [[10 + 6 * 0.25, -20 + 4 * 0.5, 4]])


def test_an_oblique_stack_runs_along_its_normal() -> None:
    turn = np.radians(30)
    across, down = np.asarray([1.0, 0, 0]), np.asarray([0, np.cos(turn), np.sin(turn)])
    normal = np.cross(across, down)
    slices = [Slice(tuple(normal * 2.5 * k), (*across, *down), (0.5, 0.25)) for k in (2, 0, 1)]
    found = stacked("folder", files(*slices))
    assert order(found) == [1, 2, 0]
    assert found.geometry.spacing == pytest.approx((2.5, 0.5, 0.25))


def test_one_frame_is_a_plane_in_the_patient() -> None:
    found = stacked("a.dcm", files(at(7, x=1, y=2)))
    assert found.lead == () and found.geometry.shape == (5, 7)
    np.testing.assert_allclose(found.geometry.to_world(np.asarray([[0, 0], [1, 1]])), [[1, 2, 7], [1.25, 2.5, 7]])


def test_one_frame_without_a_place_keeps_its_spacing_and_without_that_says_so() -> None:
    heard: list[Problem] = []
    assert stacked("a.dcm", [header(Slice((), (), (0.5, 0.25)))]).geometry.spacing == (0.5, 0.25)
    assert stacked("a.dcm", [header(Slice())], note=heard.append).geometry.spacing is None
    assert [p.code for p in heard] == ["spacing-unknown"]


def test_a_missing_slice_is_refused_with_the_numbers() -> None:
    slices = [at(3.0 * k) for k in range(60) if k != 41]
    with pytest.raises(GeometryError) as caught:
        stacked("folder", files(*slices))
    assert str(caught.value) == (
        "folder: slices 41 and 42 are 6.0 mm apart where the others are 3.0 mm: the series lacks 1 slice. "
        "Fetch the series again."
    )


def test_several_missing_slices_are_counted() -> None:
    slices = [at(2.0 * k) for k in range(20) if k not in (5, 6, 11)]
    with pytest.raises(GeometryError, match=r"slices 5 and 6 are 6\.0 mm apart .* lacks 3 slices"):
        stacked("folder", files(*slices))


def test_unequal_steps_are_refused_with_their_range() -> None:
    words = r"slices 3 and 4 are 3\.10 mm apart where most are 2\.00 mm: got steps from 2\.00 to 3\.10 mm"
    with pytest.raises(GeometryError, match=words):
        stacked("folder", files(at(0), at(2), at(4), at(7.1), at(9.1)))


@pytest.mark.parametrize("jitter", [0.001, 0.01])
def test_rounded_positions_are_no_unequal_steps(jitter: float) -> None:
    slices = [at(5.0 * k + jitter * (k % 2)) for k in range(10)]
    assert stacked("folder", files(*slices)).geometry.shape == (10, 5, 7)


def test_a_doubled_slice_is_refused_with_its_place() -> None:
    words = r"slice 2 of 4 is there 2 times \(3\.0 mm along the normal\): got 5 slices at 4 places"
    with pytest.raises(GeometryError, match=words):
        stacked("folder", files(at(0), at(3), at(3), at(6), at(9)))


def test_every_slice_doubled_is_refused_where_nothing_tells_them_apart() -> None:
    slices = [at(3.0 * k, instance=k) for k in range(3)] * 2
    words = r"2 slices lie at one place .* nothing tells them apart.*Remove the 3 doubled"
    with pytest.raises(GeometryError, match=words):
        stacked("folder", files(*slices))


def test_mixed_orientation_is_refused_with_the_counts() -> None:
    sagittal = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
    slices = [*(at(k) for k in range(3)), *(at(0, x=k, orientation=sagittal) for k in range(2))]
    words = r"different orientation.*3 along \(1, 0, 0, 0, 1, 0\); 2 along \(0, 1, 0, 0, 0, -1\)"
    with pytest.raises(GeometryError, match=words):
        stacked("folder", files(*slices))


def test_a_gantry_tilt_is_refused_with_its_angle() -> None:
    slices = [at(5.0 * k, y=5.0 * k * np.tan(np.radians(18.5))) for k in range(4)]
    words = r"gantry tilt: each slice is shifted by 1\.67 mm .*\(18\.5 degrees\).*dcm2niix"
    with pytest.raises(GeometryError, match=words):
        stacked("folder", files(*slices))


def test_a_stray_slice_is_refused() -> None:
    slices = [at(5.0 * k, x=4.0 * (k == 2)) for k in range(5)]
    with pytest.raises(GeometryError, match=r"slice 3 lies 4\.00 mm beside the column"):
        stacked("folder", files(*slices))


@pytest.mark.parametrize(
    "orientation", [(1, 0, 0, 1, 0, 0), (2, 0, 0, 0, 1, 0), (1, 0, 0, 0.5, 0.8, 0), (0,) * 6, (np.nan,) * 6]
)
def test_an_orientation_that_is_none_is_refused(orientation: tuple[float, ...]) -> None:
    for slices in ([at(0, orientation=orientation)], [at(0, orientation=orientation), at(1, orientation=orientation)]):
        with pytest.raises(GeometryError, match=r"not two perpendicular unit vectors|different orientation"):
            stacked("folder", files(*slices))


def test_a_position_of_nan_is_refused() -> None:
    with pytest.raises(GeometryError, match="NaN"):
        stacked("folder", files(at(0), at(np.nan), at(2)))


def test_different_pixel_spacings_are_refused() -> None:
    other = dataclasses.replace(at(3), spacing=(0.9, 0.9))
    with pytest.raises(GeometryError, match=r"different pixel spacing.*\(0\.5, 0\.25\) mm and \(0\.9, 0\.9\) mm"):
        stacked("folder", files(at(0), other, at(6)))


def test_volumes_in_time_become_frames() -> None:
    slices = [at(3.0 * k, temporal=t, seconds=10.0 + 2 * t) for k in range(3) for t in (2, 1)]
    found = stacked("folder", files(*slices))
    assert found.lead == (("t", 2), ("z", 3))
    assert order(found) == [1, 3, 5, 0, 2, 4]
    assert found.times == (0.0, 2.0)


def test_times_that_do_not_grow_are_unknown() -> None:
    slices = [at(3.0 * k, temporal=t, seconds=5.0) for k in range(3) for t in (1, 2)]
    assert stacked("folder", files(*slices)).times is None


@pytest.mark.parametrize(("mark", "names"), [("echo", ("echo 10", "echo 20")), ("b", ("b 10", "b 20"))])
def test_echoes_and_weightings_become_channels(mark: str, names: tuple[str, str]) -> None:
    slices = [at(3.0 * k, **{mark: v}) for v in (20, 10) for k in range(3)]
    found = stacked("folder", files(*slices))
    assert found.lead == (("c", 2), ("z", 3))
    assert found.channels == names
    assert order(found) == [3, 4, 5, 0, 1, 2]


def test_volumes_that_only_their_numbers_tell_apart_are_asked_for() -> None:
    slices = [at(3.0 * k, instance=10 * v + k) for v in range(4) for k in range(3)]
    words = r"4 volumes that only their numbers tell apart: got 3 slices each.*axes='tzyx'"
    with pytest.raises(AmbiguousError, match=words):
        stacked("folder", files(*slices))
    found = stacked("folder", files(*slices), axes="tzyx")
    assert found.lead == (("t", 4), ("z", 3))
    assert order(found) == list(range(12))
    assert stacked("folder", files(*slices), axes="czyx").channels[0] == "volume 1"


def test_a_film_of_one_place_stays_in_the_patient() -> None:
    found = stacked("a.dcm", [header(*(at(4) for _ in range(5)), step=0.04)])
    assert found.lead == (("t", 5),)
    assert found.times == pytest.approx((0, 0.04, 0.08, 0.12, 0.16))
    assert found.geometry.ndim == 2 and found.geometry.matrix is not None and found.geometry.matrix.shape == (4, 3)


def test_a_film_without_a_place_is_one_where_times_or_the_modality_say_so() -> None:
    frames = (Slice(spacing=(0.5, 0.25)),) * 4
    assert stacked("a.dcm", [header(*frames, step=0.1)]).times == pytest.approx((0, 0.1, 0.2, 0.3))
    assert stacked("a.dcm", [header(*frames, modality="US")]).lead == (("t", 4),)
    assert stacked("a.dcm", [header(*frames, increments=(0x18, 0x1065))]).lead == (("t", 4),)
    with pytest.raises(AmbiguousError, match=r"neither a place nor a time: got 4 frames.*axes='tyx' or axes='zyx'"):
        stacked("a.dcm", [header(*frames)])
    assert stacked("a.dcm", [header(*frames)], axes="tyx").lead == (("t", 4),)
    deep = stacked("a.dcm", [header(*frames)], axes="zyx")
    assert (deep.lead, deep.geometry.shape, deep.geometry.spacing) == ((("z", 4),), (4, 5, 7), None)


def test_pictures_without_a_place_are_not_piled_up() -> None:
    with pytest.raises(AmbiguousError, match=r"2 separate pictures in one series.*Name one of the files"):
        stacked("folder", files(Slice(), Slice()))


def test_frames_of_one_file_are_sorted_like_files() -> None:
    found = stacked("a.dcm", [header(at(6), at(0), at(3))])
    assert found.order == ((0, 1), (0, 2), (0, 0))


def test_a_stack_without_pixel_spacing_has_no_geometry_and_says_so() -> None:
    heard: list[Problem] = []
    bare = [dataclasses.replace(at(3.0 * k), spacing=()) for k in range(3)]
    found = stacked("folder", files(*bare), note=heard.append)
    assert found.geometry.spacing is None
    assert [p.code for p in heard] == ["spacing-unknown"]


def test_two_slices_are_enough() -> None:
    assert stacked("folder", files(at(1), at(0))).geometry.spacing == (1.0, 0.5, 0.25)
