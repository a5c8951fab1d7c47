"""A simulated pair of 128^3 voxels, a known smooth field of 1.73 voxels on average, one kind of image.

`register/demons` against SimpleITK's fast symmetric demons, `register/bspline` against elastix's B-splines on the same
lattice (`pip install itk-elastix`; left out where it is missing), a thread each. Ours bring the images on one grid,
look for folds and answer with a map between worlds, all in their time; elastix gives its field in its time as well.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from benchmarks.timing import interleaved, table
from isocenter.data import Case, Image
from isocenter.ops.array import Array
from isocenter.tasks.register.bspline import BSpline
from isocenter.tasks.register.demons import Demons

SIDE, MEAN, WIDTH = 128, 1.73, 12.0
# SimpleITK's iterations and its smoothing (ours has the same); distance of the splines.
STEPS, SMOOTH, LATTICE = 60, 1.0, 12.0
ELASTIX = "elastix B-spline"


def run() -> list[str]:
    """Seconds of each, and the error that each leaves."""
    fixed, moving, field = pair(np.random.default_rng(0))
    sides = {"fixed": Image.from_array(fixed), "moving": Image.from_array(moving)}
    case = Case("simulated", sides, "fixed")
    demons, bspline = Demons(smoothness=SMOOTH), BSpline(spacing=LATTICE)
    found: dict[str, Array] = {}

    def ours(name: str, method: Any) -> Callable[[], None]:
        def way() -> None:
            found[name] = np.asarray(method.predict(case).parts[0].displacement)

        return way

    def theirs(name: str, way: Callable[[Array, Array], Array]) -> Callable[[], None]:
        def timed() -> None:
            found[name] = way(fixed, moving)

        return timed

    lines = []
    for job, own, method, peers in (
        ("demons", "isocenter demons", demons, {"SimpleITK symmetric demons": by_itk}),
        ("B-splines", "isocenter bspline", bspline, _elastix()),
    ):
        ways = {own: ours(own, method)} | {name: theirs(name, way) for name, way in peers.items()}
        timings = interleaved(ways, rounds=2)
        lines += table(f"register, {job}, {SIDE}^3, mean {MEAN} voxels", timings)
        lines += [f"  {name:32s} {error(found[name], field):.3f} voxels left on average" for name in ways]
    if not _elastix():
        lines.append("  elastix is not installed: pip install itk-elastix")
    return lines


def pair(rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Fixed and moving image, float32, and the true displacement (x, y, z) of every fixed voxel."""
    shape = (SIDE,) * 3
    noise = rng.normal(size=shape).astype(np.float32)
    parts = (ndimage.gaussian_filter(noise, s, mode="wrap") * s**1.5 for s in (2, 4, 8))
    moving = sum(parts, np.zeros(shape, np.float32))
    moving = 1000 * (moving - moving.min()) / (moving.max() - moving.min())
    field = np.stack([ndimage.gaussian_filter(rng.normal(size=shape), WIDTH, mode="wrap") for _ in shape])
    field *= MEAN / np.linalg.norm(field, axis=0).mean()
    places = np.stack(np.meshgrid(*[np.arange(SIDE)] * 3, indexing="ij")) + field
    fixed = ndimage.map_coordinates(moving, places, order=3, mode="nearest")
    return fixed.astype(np.float32), moving.astype(np.float32), field[::-1].astype(np.float32)


def error(displacement: Array, field: Array) -> float:
    """Mean distance in voxels, of all voxels."""
    return float(np.linalg.norm(displacement - field, axis=0).mean())


def by_itk(fixed: Array, moving: Array) -> Array:
    """SimpleITK's fast symmetric forces demons, 60 iterations."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    peer = sitk.FastSymmetricForcesDemonsRegistrationFilter()
    peer.SetNumberOfIterations(STEPS)
    peer.SetStandardDeviations(SMOOTH)
    out = peer.Execute(*map(sitk.GetImageFromArray, (fixed, moving)))
    return np.moveaxis(sitk.GetArrayFromImage(out), -1, 0)


def by_elastix(fixed: Array, moving: Array) -> Array:
    """elastix's own B-spline parameters on a lattice of 12 voxels; the field from the spline that it gives."""
    import itk

    itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(1)
    said = itk.ParameterObject.New()
    said.AddParameterMap(said.GetDefaultParameterMap("bspline", 4, LATTICE))
    images = [itk.image_from_array(np.ascontiguousarray(v)) for v in (fixed, moving)]
    _, found = itk.elastix_registration_method(*images, parameter_object=said, number_of_threads=1)
    with TemporaryDirectory() as folder:  # it writes the field to a file as well
        out = itk.transformix_deformation_field(images[1], found, output_directory=folder)
        return np.moveaxis(itk.array_from_image(out), -1, 0)


def _elastix() -> dict[str, Callable[[Array, Array], Array]]:
    return {ELASTIX: by_elastix} if importlib.util.find_spec("itk") else {}
