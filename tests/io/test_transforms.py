"""Transform files against SimpleITK: both read what the other wrote, and move points to the same places."""

import numpy as np
import pytest

from isocenter.data import Geometry, Transform
from isocenter.data.findings.transform import Field, Spline, dimension
from isocenter.errors import GeometryError, OutputError, UnreadableError
from isocenter.io.transforms import read_transform, write_transform
from isocenter.ops.transforms import fit_spline

sitk = pytest.importorskip("SimpleITK", reason="pip install 'isocenter[dev]'")

FLAT = Geometry.from_spacing((12, 15), (2.0, 0.5), origin=(3.0, -4.0))
VOLUME = Geometry.from_spacing((6, 7, 8), (3.0, 1.0, 2.0), origin=(-5.0, 2.0, 9.0))
GRIDS = {2: FLAT, 3: VOLUME}
TILTED = np.array([[1, 0, 0], [0, 1, 0], [1e-3, 0, 1]])


def theirs():
    euler = sitk.Euler3DTransform((1.0, 2, 3), 0.2, -0.3, 0.4, (5.0, 6, 7))
    versor = sitk.VersorRigid3DTransform((0.1, -0.2, 0.3), 0.7, (1.0, 2, 3), (4.0, 5, 6))
    larger = sitk.Similarity3DTransform(1.3, (0.1, 0.2, -0.1), 0.4, (1.0, 2, 3), (4.0, 5, 6))
    affine = sitk.AffineTransform([1.1, 0.2, 0, -0.1, 0.9, 0.3, 0, 0.1, 1], (1.0, 2, 3), (4.0, 5, 6))
    both = sitk.CompositeTransform([euler, affine, versor])
    flat = [sitk.Euler2DTransform((3.0, 4), 0.3, (1.0, 2)), sitk.Similarity2DTransform(0.8, 0.3, (1.0, 2), (3.0, 4)),
            sitk.TranslationTransform(2, (3.0, 4)), sitk.AffineTransform([1.1, 0.2, -0.1, 0.9], (1.0, 2), (3.0, 4))]
    return [euler, versor, larger, affine, both, sitk.TranslationTransform(3, (1.0, 2, 3)), *flat]


@pytest.mark.parametrize("index", range(10))
def test_what_itk_writes_moves_points_as_itk_does(tmp_path, index):
    itk = theirs()[index]
    sitk.WriteTransform(itk, str(tmp_path / "t.tfm"))
    grid = GRIDS[itk.GetDimension()]
    found = read_transform(tmp_path / "t.tfm", grid, grid)
    for point in np.random.default_rng(0).random((5, grid.ndim)) * 20:
        assert np.allclose(found.points(point[None])[0], itk.TransformPoint(point.tolist()), atol=1e-6)


@pytest.mark.parametrize("rank", [2, 3])
def test_itk_reads_what_we_write(tmp_path, rank):
    m = np.eye(rank + 1)
    m[:rank] += np.random.default_rng(1).normal(size=(rank, rank + 1)) * 0.1
    t = Transform.of_matrix(m, GRIDS[rank], GRIDS[rank])
    itk = sitk.ReadTransform(str(write_transform(t, tmp_path / "t.tfm")))
    point = np.random.default_rng(2).random((1, rank)) * 9
    assert np.allclose(itk.TransformPoint(point[0].tolist()), t.points(point)[0])
    assert np.allclose(read_transform(tmp_path / "t.tfm", t.fixed, t.moving).matrix, m)


def test_a_field_in_nifti_is_itks_field(tmp_path):
    shift = np.random.default_rng(3).normal(size=(3, *VOLUME.shape)).astype(np.float32)
    t = Transform((Field(shift, VOLUME),), VOLUME, VOLUME)
    path = write_transform(t, tmp_path / "f.nii.gz")
    itk = sitk.DisplacementFieldTransform(sitk.Cast(sitk.ReadImage(str(path)), sitk.sitkVectorFloat64))
    back = read_transform(path, VOLUME, VOLUME)
    inside = np.random.default_rng(4).random((6, 3)) * (np.array(VOLUME.shape) - 1)
    for point in VOLUME.to_world(inside):
        assert np.allclose(itk.TransformPoint(point.tolist()), t.points(point[None])[0], atol=1e-4)
        assert np.allclose(back.points(point[None]), t.points(point[None]), atol=1e-4)


def test_a_field_in_the_plane_goes_to_itk_and_back_in_nifti(tmp_path):
    shift = np.random.default_rng(8).normal(size=(2, *FLAT.shape)).astype(np.float32)
    t = Transform((Field(shift, FLAT),), FLAT, FLAT)
    path = write_transform(t, tmp_path / "f.nii.gz")
    image = sitk.ReadImage(str(path))
    assert (image.GetDimension(), image.GetNumberOfComponentsPerPixel()) == (2, 2)
    itk = sitk.DisplacementFieldTransform(sitk.Cast(image, sitk.sitkVectorFloat64))
    back = read_transform(path, FLAT, FLAT)
    for point in FLAT.to_world(np.random.default_rng(4).random((6, 2)) * (np.array(FLAT.shape) - 1)):
        assert np.allclose(itk.TransformPoint(point.tolist()), t.points(point[None])[0], atol=1e-4)
        assert np.allclose(back.points(point[None]), t.points(point[None]), atol=1e-4)
    smaller = Geometry.from_spacing((5, 6), (1.0, 1.0), origin=(4.0, 1.0))
    made = sitk.GetImageFromArray(np.moveaxis(shift, 0, -1).copy(), isVector=True)
    made.SetSpacing((0.5, 2.0))
    made.SetOrigin((3.0, -4.0))
    sitk.WriteImage(made, str(tmp_path / "theirs.nii.gz"))
    other = read_transform(tmp_path / "theirs.nii.gz", smaller, FLAT)
    inside = smaller.to_world(np.array([[1.0, 2.0], [3.0, 1.0]]))
    assert np.allclose(other.points(inside), t.points(inside), atol=1e-4)


def test_transforms_in_hdf5_are_refused_in_words(tmp_path):
    (tmp_path / "t.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(UnreadableError, match=r"HDF5 are not read.*\.tfm"):
        read_transform(tmp_path / "t.h5", FLAT, FLAT)


def test_what_text_cannot_hold_is_refused_and_a_field_holds_it(tmp_path):
    source = np.random.default_rng(5).random((8, 2)) * [7, 20]
    bent = Transform((Spline(source, fit_spline(source, source + 0.3)),), FLAT, FLAT)
    with pytest.raises(OutputError, match="affine maps only"):
        write_transform(bent, tmp_path / "t.tfm")
    with pytest.raises(OutputError, match="affine maps only"):
        write_transform(Transform.of_matrix(TILTED, FLAT, FLAT), tmp_path / "t.txt")
    with pytest.raises(OutputError, match="suffix"):
        write_transform(bent, tmp_path / "t.png")
    found = read_transform(write_transform(bent, tmp_path / "t.npz"), FLAT, FLAT)
    at = FLAT.to_world(np.array([[3.0, 4.0], [9.0, 2.0]]))
    assert np.allclose(found.points(at), bent.points(at), atol=1e-5)
    with pytest.raises(OutputError, match="exists"):
        write_transform(bent, tmp_path / "t.npz")


@pytest.mark.parametrize(("text", "error"), [
    ("", UnreadableError),
    ("nothing", UnreadableError),
    ("#Insight Transform File V1.0\nTransform: BSplineTransform_double_2_2\nParameters: 1\n", UnreadableError),
    ("#Insight Transform File V1.0\nTransform: AffineTransform_double_2_2\nParameters: a b\n", UnreadableError),
    ("#Insight Transform File V1.0\nTransform: AffineTransform_double_2_2\nParameters: 1 2\n", UnreadableError),
    ("#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: 1 2\n", GeometryError),
    ("#Insight Transform File V1.0\nTransform: AffineTransform_double_2_2\nParameters: 0 0 0 0 1 1\n", GeometryError),
])  # fmt: skip
def test_a_broken_or_foreign_file_is_refused(tmp_path, text, error):
    (tmp_path / "t.tfm").write_text(text)
    with pytest.raises(error):
        read_transform(tmp_path / "t.tfm", FLAT, FLAT)


def test_an_image_that_is_no_field_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((12, 15)))
    with pytest.raises(UnreadableError, match="no displacement field"):
        read_transform(tmp_path / "a.npy", FLAT, FLAT)


def test_a_composition_is_applied_last_first_as_itk_does(tmp_path):
    turn = sitk.Euler2DTransform((0.0, 0.0), 0.5, (0.0, 0.0))
    shift = sitk.TranslationTransform(2, (10.0, 0.0))
    for order in ([turn, shift], [shift, turn]):
        both = sitk.CompositeTransform(order)
        sitk.WriteTransform(both, str(tmp_path / "t.tfm"))
        found = read_transform(tmp_path / "t.tfm", FLAT, FLAT)
        assert np.allclose(found.points(np.array([[1.0, 2.0]]))[0], both.TransformPoint((1.0, 2.0)))
        assert len(found.parts) == 1


def test_an_identity_is_no_part(tmp_path):
    sitk.WriteTransform(sitk.Transform(3, sitk.sitkIdentity), str(tmp_path / "t.tfm"))
    assert read_transform(tmp_path / "t.tfm", VOLUME, VOLUME).parts == ()


def test_a_field_in_the_plane_comes_back_where_it_was(tmp_path):
    leaning = ((0.0, 1.5, 10.0), (0.7, 0.0, 20.0), (0.1, 0.0, 30.0), (0.0, 0.0, 1.0))
    for grid in (FLAT, Geometry((12, 15)), Geometry((12, 15), leaning)):
        shift = np.random.default_rng(6).normal(size=(dimension(grid), 12, 15)).astype(np.float32)
        t = Transform((Field(shift, grid),), grid, grid)
        for name in ("f.npz", "f.nii.gz"):
            found = read_transform(write_transform(t, tmp_path / name, overwrite=True), grid, grid)
            at = np.random.default_rng(7).random((9, 2)) * 10
            assert np.allclose(found.indices(at), t.indices(at), atol=1e-4)
