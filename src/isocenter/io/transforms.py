"""Transforms in and out: ITK's transform files (text) and displacement fields as images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from isocenter import files
from isocenter.data import Geometry, Image, Transform
from isocenter.data.findings.transform import Field, Linear, Part, dimension
from isocenter.errors import GeometryError, OutputError, UnreadableError
from isocenter.io import formats, limits
from isocenter.io.encoded import block
from isocenter.io.reading import read_image
from isocenter.ops.array import Array

HEAD = "#Insight Transform File V1.0"
TEXTS = (".tfm", ".txt")
# Formats that keep where a grid lies; TIFF does not.
FIELDS = {".nii": "nifti", ".nii.gz": "nifti", ".npz": "npz"}
SUFFIXES = (*TEXTS, *FIELDS)
# ITK's transforms in HDF5: they need a library of their own.
FOREIGN = (".h5", ".hdf5", ".hdf")
# No transform of numbers needs more; a file that is larger is none.
LARGEST = 1 << 20


def read_transform(path: str | Path, fixed: Geometry, moving: Geometry) -> Transform:
    """A transform from a file, between two grids.

    Parameters
    ----------
    path
        .tfm or .txt as ITK, elastix and ANTs write them (identity, translation, Euler, versor, similarity, affine, and
        compositions of these); .nii, .nii.gz, .npz: a displacement per pixel in LPS mm, channels x, y[, z] (as
        ITK and ANTs write them; of a flat image NIfTI with one slice), of an image of unknown spacing in pixels.
    fixed, moving
        Of the two images. ITK maps points of the fixed image to the moving one, as `Transform` does.

    Raises
    ------
    UnreadableError
        Another kind of transform, or a broken file.
    GeometryError
        It does not fit the world, or is singular.
    """
    path = limits.present(Path(path))
    if formats.suffix(path) in TEXTS:
        return _checked(_parts(path, dimension(fixed)), fixed, moving)
    if formats.suffix(path) in FOREIGN:
        raise UnreadableError("ITK's transforms in HDF5 are not read", where=str(path), got=formats.suffix(path),
                              wanted=", ".join(SUFFIXES), remedy="Write it as .tfm, or its displacements as .nii.gz")
    image = read_image(path)
    if image.axes not in ("cyx", "czyx"):
        wanted = "one channel per coordinate (cyx or czyx)"
        raise UnreadableError("no displacement field", where=str(path), got=f"axes {image.axes}", wanted=wanted)
    shift, grid = image.pixels().astype(np.float32), image.geometry
    if fixed.ndim == 2 and grid.ndim == 3 and grid.shape[0] == 1:
        shift, grid = shift[:, 0], _slice(grid, len(shift))
    return Transform((Field(shift, _plane(grid, fixed)),), fixed, moving)


def _plane(found: Geometry, fixed: Geometry) -> Geometry:
    """The field's own grid; where it is the fixed image's as the format could say it, that one."""
    return fixed if found.shape == fixed.shape and dimension(found) != dimension(fixed) else found


def _slice(grid: Geometry, world: int) -> Geometry:
    """The one slice of a grid: in the plane of x and y where displacements have two coordinates, else in space."""
    if grid.affine is None:
        return Geometry(grid.shape[1:])
    m = np.asarray(grid.matrix)
    rows = [0, 1, 3] if world == 2 else [0, 1, 2, 3]
    return Geometry(grid.shape[1:], tuple(map(tuple, m[rows, 1:].tolist())))


def _solid(grid: Geometry) -> Geometry:
    """A flat grid as a volume of one slice, as NIfTI holds it."""
    if grid.affine is None:
        return Geometry((1, *grid.shape))
    m = np.asarray(grid.matrix)
    full = np.zeros((4, 4))
    full[3, 3] = 1.0
    full[: len(m) - 1, 1:] = m[:-1]
    across = np.cross(full[:3, 2], full[:3, 1])
    full[:3, 0] = across / np.linalg.norm(across)
    return Geometry((1, *grid.shape), tuple(map(tuple, full.tolist())))


def _checked(parts: list[Part], fixed: Geometry, moving: Geometry) -> Transform:
    made = Transform((), fixed, moving)
    for part in parts:
        made = made.then(Transform((part,), moving, moving))
    return made


def _parts(path: Path, rank: int) -> list[Part]:
    with limits.typed(path, "no ITK transform file"):
        text = path.read_bytes()[: LARGEST + 1].decode("utf-8")
        if not text.startswith("#Insight Transform File") or len(text) > LARGEST:
            raise UnreadableError("no ITK transform file", where=str(path), got=repr(text[:30]), wanted=HEAD)
        found = []
        for part in text.split("Transform:")[1:]:
            lines = part.strip().splitlines()
            fields = dict(line.split(":", 1) for line in lines[1:] if ":" in line)
            values, about = (np.array(fields.get(k, "").split(), float) for k in ("Parameters", "FixedParameters"))
            if matrix := _linear(path, lines[0].strip(), values, about, rank):
                found.append(matrix)
    # ITK applies what was added last first.
    return list(reversed(found))


def _linear(path: Path, name: str, values: Array, about: Array, rank: int) -> Linear | None:
    kind, _, size = name.partition("_")
    if kind in ("CompositeTransform", "IdentityTransform"):
        return None
    if size and not size.endswith(f"_{rank}_{rank}"):
        raise GeometryError("the transform is of another dimension", where=str(path), got=name, wanted=str(rank))
    if kind not in KINDS:
        raise UnreadableError("a kind of transform that is not read", where=str(path), got=name,
                              wanted=", ".join(KINDS), remedy="Write it as a displacement field (.nii.gz)")
    turn, shift = KINDS[kind](values, rank)
    centre = about[:rank] if len(about) else np.zeros(rank)
    matrix = np.eye(rank + 1)
    matrix[:rank, :rank] = turn
    matrix[:rank, rank] = shift + centre - turn @ centre
    return Linear(matrix)


def _affine(v: Array, w: int) -> tuple[Array, Array]:
    return v[: w * w].reshape(w, w), v[w * w : w * w + w].reshape(w)


def _flat(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def _euler(v: Array, w: int) -> tuple[Array, Array]:
    if w == 2:
        return _flat(v[0]), v[1:3]
    turns = []
    for axis, angle in enumerate(v[:3]):
        a, b = [k for k in range(3) if k != axis]
        m = np.eye(3)
        m[np.ix_([a, b], [a, b])] = _flat(angle if axis != 1 else -angle)
        turns.append(m)
    # ITK's order unless it is told otherwise: about z, then x, then y, of a row of matrices.
    return turns[2] @ turns[0] @ turns[1], v[3:6]


def _versor(v: Array) -> Array:
    x, y, z = v[:3]
    w = np.sqrt(max(1.0 - x * x - y * y - z * z, 0.0))
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])


def _similarity(v: Array, w: int) -> tuple[Array, Array]:
    return (v[0] * _flat(v[1]), v[2:4]) if w == 2 else (v[6] * _versor(v), v[3:6])


KINDS: Mapping[str, Callable[[Array, int], tuple[Array, Array]]] = {
    "AffineTransform": _affine, "MatrixOffsetTransformBase": _affine,
    "TranslationTransform": lambda v, w: (np.eye(w), v[:w]), "Euler2DTransform": _euler, "Rigid2DTransform": _euler,
    "Euler3DTransform": _euler, "VersorRigid3DTransform": lambda v, w: (_versor(v), v[3:6]),
    "Similarity2DTransform": _similarity, "Similarity3DTransform": _similarity,
}


def write_transform(transform: Transform, path: str | Path, *, overwrite: bool = False) -> Path:
    """Writes a transform: an affine one as ITK's text (.tfm, .txt), any one as a displacement field on the fixed grid.

    Raises
    ------
    OutputError
        The suffix is another; the text cannot hold the map; a field has no value somewhere; the file exists.
    """
    path = Path(path)
    end = formats.suffix(path)
    if end in TEXTS:
        files.write_text(path, _text(transform, path), overwrite=overwrite)
        return path
    if end not in FIELDS:
        raise OutputError(f"no format of a Transform has the suffix {end!r}", where=str(path),
                          wanted=", ".join(SUFFIXES))
    try:
        [field] = transform.as_field().parts
    except GeometryError as error:
        what = "the map has no value somewhere in the fixed image"
        raise OutputError(what, where=str(path), got=error.got) from error
    assert isinstance(field, Field)
    shift, grid = field.displacement, transform.fixed
    if grid.ndim == 2 and FIELDS[end] == "nifti":
        # The format has its vectors in the fifth dimension, so that the third is there with one slice.
        shift, grid = shift[:, None], _solid(grid)
    image = Image.from_array(shift, axes="c" + "zyx"[-grid.ndim :], geometry=grid)
    with files.written(path, overwrite=overwrite) as part:
        formats.module(FIELDS[end]).write(part, block(image, None), None)
    return path


def _text(transform: Transform, path: Path) -> str:
    matrix = transform.matrix
    w = dimension(transform.fixed)
    if matrix is None or np.abs(matrix[w, :w]).max() > 0:
        raise OutputError("ITK's text holds affine maps only", where=str(path), wanted=", ".join(FIELDS),
                          remedy="Write it as a displacement field: OUT.nii.gz or OUT.npz")
    numbers = " ".join(repr(float(v)) for v in [*matrix[:w, :w].ravel(), *matrix[:w, w]])
    zeros = " ".join(["0"] * w)
    return (f"{HEAD}\n#Transform 0\nTransform: AffineTransform_double_{w}_{w}\nParameters: {numbers}\n"
            f"FixedParameters: {zeros}\n")
