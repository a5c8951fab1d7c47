from __future__ import annotations

import itertools
from pathlib import Path

import nibabel
import numpy as np
import pytest

from isocenter.data import Geometry, Problem
from isocenter.errors import GeometryError
from isocenter.io import ras

PATH = Path("scan.nii")


def header(sform: np.ndarray | None = None, qform: np.ndarray | None = None) -> nibabel.Nifti1Header:
    made = nibabel.Nifti1Header()
    made.set_data_shape((4, 5, 6))
    made.set_xyzt_units("mm")
    if sform is not None:
        made.set_sform(sform, code=1)
    if qform is not None:
        made.set_qform(qform, code=1)
    return made


def heard(made: nibabel.Nifti1Header) -> tuple[Geometry, list[Problem]]:
    problems: list[Problem] = []
    return ras.geometry(PATH, made, "zyx", shape=(6, 5, 4), note=problems.append), problems


def test_sform_wins_and_an_agreeing_qform_is_no_problem() -> None:
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    geometry, problems = heard(header(affine, affine))
    assert geometry.spacing == (3.0, 2.0, 2.0)
    assert problems == []


def test_a_qform_elsewhere_is_told_with_the_distance() -> None:
    affine, moved = np.diag([2.0, 2.0, 3.0, 1.0]), np.diag([2.0, 2.0, 3.0, 1.0])
    moved[2, 3] = 12.0
    geometry, problems = heard(header(affine, moved))
    assert geometry.matrix is not None and geometry.matrix[2, 3] == 0
    assert [p.code for p in problems] == ["sform-qform"]
    assert problems[0].severity == "warning"
    assert "12 mm apart" in problems[0].line()
    assert "scan.nii" in problems[0].line()


def test_a_mirrored_qform_is_told() -> None:
    affine, mirrored = np.diag([2.0, 2.0, 3.0, 1.0]), np.diag([-2.0, 2.0, 3.0, 1.0])
    assert [p.code for p in heard(header(affine, mirrored))[1]] == ["sform-qform"]


def test_the_qform_alone_is_used() -> None:
    affine = np.asarray([[0, -2.0, 0, 5], [2.0, 0, 0, 6], [0, 0, 3.0, 7], [0, 0, 0, 1]])
    geometry, problems = heard(header(None, affine))
    assert problems == []
    np.testing.assert_allclose(geometry.to_world(np.asarray([[0, 0, 0]])), [[-5, -6, 7]], atol=1e-6)
    np.testing.assert_allclose(geometry.to_world(np.asarray([[1, 2, 3]])), [[-(5 - 4), -(6 + 6), 7 + 3]], atol=1e-5)


def test_no_form_leaves_the_spacing_and_says_so() -> None:
    made = header()
    made.set_zooms((2.0, 2.5, 3.0))
    geometry, problems = heard(made)
    assert geometry.spacing == (3.0, 2.5, 2.0)
    assert [p.code for p in problems] == ["orientation-unstated"]
    world = nibabel.affines.apply_affine(made.get_best_affine(), [[3, 2, 1]]) * [-1, -1, 1]
    np.testing.assert_allclose(geometry.to_world(np.asarray([[1, 2, 3]])), world)


def test_no_form_and_no_unit_is_an_unknown_spacing() -> None:
    made = header()
    made.set_xyzt_units(None)
    geometry, problems = heard(made)
    assert geometry.affine is None
    assert [p.code for p in problems] == ["spacing-unknown"]


def test_a_spacing_of_zero_is_unknown() -> None:
    made = header()
    made["pixdim"][1:4] = 0
    assert heard(made)[0].affine is None


@pytest.mark.parametrize(("unit", "factor"), [("meter", 1000.0), ("mm", 1.0), ("micron", 0.001), (None, 1.0)])
def test_units_become_millimetres(unit: str | None, factor: float) -> None:
    made = header(np.diag([2.0, 2.0, 3.0, 1.0]))
    made.set_xyzt_units(unit)
    assert heard(made)[0].spacing == pytest.approx((3 * factor, 2 * factor, 2 * factor))


def test_a_sform_of_nan_is_refused_even_with_a_sound_qform() -> None:
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    made = header(affine, affine)
    made["srow_x"][1] = np.nan
    with pytest.raises(GeometryError, match=r"scan\.nii: the affine holds NaN or infinity"):
        heard(made)


def test_a_quaternion_that_is_none_is_refused() -> None:
    made = header(None, np.diag([2.0, 2.0, 3.0, 1.0]))
    made["quatern_b"], made["quatern_c"] = 3.0, 4.0
    with pytest.raises(GeometryError, match=r"scan\.nii: the qform is impossible"):
        heard(made)


def test_grids_come_back_through_a_header_in_all_48_orientations() -> None:
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            m = np.zeros((4, 4))
            for column, row in enumerate(order):
                m[row, column] = signs[column] * (1.0, 1.5, 2.5)[column]
            m[:, 3] = 11, -7, 30, 1
            geometry = Geometry((6, 5, 4), tuple(map(tuple, m.tolist())))
            made = header()
            assert ras.place(made, geometry) == "mm"
            assert ras.geometry(PATH, made, "zyx", shape=(6, 5, 4)) == geometry
            qform = made.get_qform(coded=True)[0]
            np.testing.assert_allclose(qform, made.get_sform(), atol=1e-4)


def test_a_leaning_grid_has_a_sform_only() -> None:
    m = np.diag([1.0, 1.0, 1.0, 1.0])[:, [2, 1, 0, 3]]
    m[1, 0] = 0.3
    made = header()
    ras.place(made, Geometry((6, 5, 4), tuple(map(tuple, m.tolist()))))
    assert (int(made["sform_code"]), int(made["qform_code"])) == (1, 0)
    np.testing.assert_allclose(made["pixdim"][1:4], [1, 1, np.hypot(1, 0.3)])


def test_a_leaning_grid_is_told_with_its_angle() -> None:
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    affine[1, 2] = 3.0 * np.tan(np.radians(18.5))
    _, problems = heard(header(affine))
    assert [(p.code, p.got) for p in problems] == [("sheared", "18.5 degrees off")]
    rounded = np.diag([2.0, 2.0, 3.0, 1.0])
    rounded[0, 1] = 1e-4
    assert heard(header(rounded))[1] == []


def test_a_slice_in_the_patient_keeps_its_place() -> None:
    m = np.asarray([[0.0, 0.5, 10.0], [0.0, 0.0, 20.0], [0.8, 0.0, -30.0], [0.0, 0.0, 1.0]])
    slice_ = Geometry((5, 4), tuple(map(tuple, m.tolist())))
    made = header()
    ras.place(made, slice_)
    assert ras.geometry(PATH, made, "yx", shape=(5, 4)).same_grid(slice_)


def test_an_unknown_spacing_is_written_without_forms_and_units() -> None:
    made = header()
    assert ras.place(made, Geometry((6, 5, 4))) is None
    assert (int(made["sform_code"]), int(made["qform_code"])) == (0, 0)
