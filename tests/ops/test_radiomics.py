"""Features of a region against the IBSI's digital phantom and against the values that PyRadiomics checks itself by."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from isocenter import io
from isocenter.errors import InputError
from isocenter.ops.grey_levels import fixed_bin_width
from isocenter.ops.intensity_features import HISTOGRAM, INTENSITY
from isocenter.ops.radiomics import radiomics
from isocenter.ops.shape_features import SHAPE_3D
from isocenter.ops.texture_features import texture_features

# Values of the IBSI reference manual for the digital phantom, in the order of our names, three digits as printed there.
STATISTICS = "2.15 3.05 1.08 -0.355 1 1 1 4 6 3 5 1.55 1.11 1.15 0.812 0.6 567 2.77"
GREY_LEVELS = "2.15 3.05 1.08 -0.355 1 1 1 4 6 1 3 5 1.55 1.11 1.15 0.812 0.6 1.27 0.512 8 3 -50 1"
# With the tolerances of the manual.
BODY = (
    "556±4 592±4 388±3 0.698±0.004 0.0411±0.0003 0.599±0.004 1.19±0.01 0.843±0.005 0.186±0.001 13.1±0.1 11.4±0.1 "
    "9.31±0.06 8.54±0.05 0.816±0.005 0.749±0.005 0.869±0.005 0.866±0.005 1.17±0.01 1.36±0.01 0.961±0.006 1.03±0.01"
)
FLAT = {
    "glcm": "0.519 2.14 2.69 2.05 1.42 2.9 1.4 4.28 5.47 1.6 0.368 5.28 1.42 0.678 0.851 0.619 0.899 0.0567 -0.0121 "
            "5.09 5.47 7 79.1 -0.155 0.487",
    "glrlm": "0.641 3.78 0.604 9.82 0.294 8.57 3.14 17.4 5.2 0.46 6.12 0.492 0.627 3.35 0.761 2.17",
    "glszm": "0.363 43.9 0.371 16.4 0.0259 10.3 40.4 113 1.41 0.323 1.49 0.333 0.24 3.97 21 1.93",
    "ngtdm": "0.121 0.925 2.99 10.4 2.88",
    "ngldm": "0.158 19.2 0.702 7.49 0.0473 3.06 17.6 49.5 10.2 0.562 3.96 0.212 1 2.7 2.73 2.71 0.17",
}  # fmt: skip
FLAT_MERGED = {
    "glcm": "0.512 2.14 2.71 2.24 1.4 3.06 1.49 4.29 5.66 1.79 0.352 5.19 1.4 0.683 0.854 0.625 0.901 0.0553 0.0173 "
            "5.14 5.66 6.98 80.4 -0.0341 0.263",
    "glrlm": "0.661 3.51 0.609 9.74 0.311 8.67 2.92 16.1 20.5 0.456 21.6 0.441 0.627 3.37 0.778 2.57",
}  # fmt: skip
SOLID = {
    "glcm": "0.503 2.14 3.1 2.4 1.43 3.06 1.56 4.29 7.07 1.92 0.303 5.32 1.43 0.677 0.851 0.618 0.898 0.0604 0.157 "
            "5.06 7.07 16.6 145 -0.157 0.52",
    "glrlm": "0.705 3.06 0.603 9.7 0.352 8.54 2.39 17.6 21.8 0.43 26.9 0.513 0.68 3.46 0.574 2.43",
    "glszm": "0.255 550 0.253 15.6 0.0256 2.76 503 1490 1.4 0.28 1 0.2 0.0676 2.64 331 2.32",
    "ngtdm": "0.0296 0.584 6.54 13.5 0.763",
    "ngldm": "0.045 109 0.693 7.66 0.00963 0.736 102 235 37.9 0.512 4.86 0.0657 1 3.05 22.1 4.4 0.0533",
}  # fmt: skip
SOLID_MERGED = {
    "glcm": "0.509 2.15 3.13 2.57 1.38 3.21 1.64 4.3 7.41 2.11 0.291 5.12 1.38 0.688 0.856 0.631 0.902 0.0574 0.183 "
            "5.19 7.41 17.4 147 -0.0288 0.269",
    "glrlm": "0.729 2.76 0.607 9.64 0.372 8.67 2.16 15.6 281 0.43 328 0.501 0.68 3.48 0.598 2.62",
}  # fmt: skip


def of_kind(found: Mapping[str, float], kind: str) -> list[float]:
    return [v for k, v in found.items() if k.startswith(f"{kind}_")]


def equal_as_printed(got: list[float], wanted: str) -> None:
    """Equal to the digits that the manual prints: three that count."""
    numbers = [float(w) for w in wanted.split()]
    assert len(got) == len(numbers)
    for value, number in zip(got, numbers, strict=True):
        half = 0.5 * 10.0 ** (np.floor(np.log10(abs(number))) - 2)
        assert abs(value - number) <= 1.0001 * half, (value, number)


@pytest.fixture(scope="module")
def phantom(real_data) -> tuple[np.ndarray, np.ndarray]:
    """Intensities (z, y, x) of 1 to 6 and the region of 74 of 80 voxels."""
    folder: Path = real_data("radiomics-reference") / "ibsi_1_digital_phantom"
    values = io.read_image(folder / "image" / "phantom.nii.gz").pixels()
    mask = io.read_image(folder / "mask" / "mask.nii.gz").pixels() > 0
    assert values.shape == (4, 4, 5) and mask.sum() == 74
    return values, mask


def test_the_digital_phantom_as_a_volume(phantom) -> None:
    """41 first-order, 79 texture and 21 shape features."""
    found = radiomics(*phantom, spacing=(2.0, 2.0, 2.0), width=1.0, origin=1.0)
    assert len(found) == 18 + 23 + 79 + 21 == len(INTENSITY) + len(HISTOGRAM) + 79 + len(SHAPE_3D)
    equal_as_printed(of_kind(found, "intensity"), STATISTICS)
    equal_as_printed(of_kind(found, "histogram"), GREY_LEVELS)
    for kind, wanted in SOLID.items():
        equal_as_printed(of_kind(found, kind), wanted)
    for value, text in zip(of_kind(found, "shape"), BODY.split(), strict=True):
        number, tolerance = (float(t) for t in text.split("±"))
        # The manual's own number is rounded to its three digits too.
        assert abs(value - number) <= tolerance, (value, text)


def test_the_digital_phantom_slice_by_slice_and_merged(phantom) -> None:
    """79 features as means over slices, and 41 + 41 of merged directions."""
    levels = np.where(phantom[1], phantom[0], 0).astype(int)

    def mean(merged: bool) -> dict[str, float]:
        each = [texture_features(piece, merged=merged) for piece in levels]
        return {k: float(np.mean([e[k] for e in each])) for k in each[0]}

    merged = texture_features(levels, merged=True)
    for found, wanted in ((mean(False), FLAT), (mean(True), FLAT_MERGED), (merged, SOLID_MERGED)):
        for kind, values in wanted.items():
            equal_as_printed(of_kind(found, kind), values)


def nrrd(path: Path) -> tuple[np.ndarray, tuple[float, ...]]:
    """Array (z, y, x) and spacing of a plain NRRD file."""
    head, _, body = path.read_bytes().partition(b"\n\n")
    lines = (line.split(":", 1) for line in head.decode().splitlines() if ":" in line and line[0] != "#")
    fields = {k: v.strip().lstrip("=") for k, v in lines}
    kind = {"short": "<i2", "unsigned short": "<u2", "ushort": "<u2", "unsigned char": "u1", "uchar": "u1",
            "uint8": "u1", "int16": "<i2", "int": "<i4", "float": "<f4", "double": "<f8"}[fields["type"]]  # fmt: skip
    sizes = [int(n) for n in fields["sizes"].split()]
    data = gzip.decompress(body) if fields["encoding"].startswith("gz") else body
    axes = [np.array(v.strip("()").split(","), float) for v in fields["space directions"].split(") (")]
    spacing = tuple(float(np.linalg.norm(a)) for a in reversed(axes))
    return np.frombuffer(data, kind, int(np.prod(sizes))).reshape(sizes[::-1]), spacing


def plain(large: str, small: str, one: str, size: str) -> dict[str, str]:
    """Names of a matrix of sizes: PyRadiomics's in the words `ours:theirs`, and ours."""
    (k_, k), (s_, s), (o_, o), (z_, z) = (w.split(":") for w in (large, small, one, size))
    emphases = {
        f"{s}Emphasis": f"{s_}_emphasis", f"{k}Emphasis": f"{k_}_emphasis",
        f"LowGrayLevel{o}Emphasis": f"low_grey_level_{o_}_emphasis",
        f"HighGrayLevel{o}Emphasis": f"high_grey_level_{o_}_emphasis",
        **{f"{a}{b}GrayLevelEmphasis": f"{a_}_{b.lower()}_grey_level_emphasis"
           for a, a_ in ((s, s_), (k, k_)) for b in ("Low", "High")},
    }  # fmt: skip
    return emphases | {
        "GrayLevelNonUniformity": "grey_level_non_uniformity", "GrayLevelVariance": "grey_level_variance",
        "GrayLevelNonUniformityNormalized": "normalised_grey_level_non_uniformity",
        f"{z}NonUniformity": f"{z_}_non_uniformity", f"{z}NonUniformityNormalized": f"normalised_{z_}_non_uniformity",
    }  # fmt: skip


# Their name to ours, by their class; what they have beyond the IBSI (MCC, total energy, diameters of slices) is out.
THEIRS = {
    "firstorder": {
        "InterquartileRange": "interquartile_range", "Skewness": "skewness", "Median": "median",
        "RobustMeanAbsoluteDeviation": "robust_mean_absolute_deviation", "Variance": "variance", "Mean": "mean",
        "MeanAbsoluteDeviation": "mean_absolute_deviation", "Maximum": "maximum", "Minimum": "minimum",
        "Range": "range", "90Percentile": "90th_percentile", "10Percentile": "10th_percentile",
    },
    "glcm": {
        "JointAverage": "joint_average", "SumAverage": "sum_average", "JointEntropy": "joint_entropy",
        "ClusterShade": "cluster_shade", "MaximumProbability": "joint_maximum", "Contrast": "contrast",
        "Idmn": "normalised_inverse_difference_moment", "JointEnergy": "angular_second_moment",
        "DifferenceEntropy": "difference_entropy", "InverseVariance": "inverse_variance",
        "DifferenceVariance": "difference_variance", "Idn": "normalised_inverse_difference",
        "Idm": "inverse_difference_moment", "Correlation": "correlation", "Autocorrelation": "autocorrelation",
        "SumEntropy": "sum_entropy", "SumSquares": "joint_variance", "ClusterProminence": "cluster_prominence",
        "Imc1": "information_correlation_1", "Imc2": "information_correlation_2", "Id": "inverse_difference",
        "DifferenceAverage": "difference_average", "ClusterTendency": "cluster_tendency",
    },
    "glrlm": plain("long_run:LongRun", "short_run:ShortRun", "run:Run", "run_length:RunLength")
    | {"RunPercentage": "run_percentage", "RunVariance": "run_length_variance", "RunEntropy": "run_length_entropy"},
    "glszm": plain("large_zone:LargeArea", "small_zone:SmallArea", "zone:Zone", "zone_size:SizeZone")
    | {"ZonePercentage": "zone_percentage", "ZoneVariance": "zone_size_variance", "ZoneEntropy": "zone_size_entropy"},
    "gldm": plain("high_dependence:LargeDependence", "low_dependence:SmallDependence", "count:",
                  "dependence_count:Dependence")
    | {"DependenceVariance": "dependence_count_variance", "DependenceEntropy": "dependence_count_entropy"},
    "ngtdm": {k.title(): k for k in ("coarseness", "contrast", "busyness", "complexity", "strength")},
    "shape": {
        "Maximum3DDiameter": "maximum_diameter", "Sphericity": "sphericity", "MeshVolume": "volume_mesh",
        "MajorAxisLength": "major_axis_length", "MinorAxisLength": "minor_axis_length", "Flatness": "flatness",
        "LeastAxisLength": "least_axis_length", "Elongation": "elongation", "VoxelVolume": "volume_voxels",
        "SurfaceVolumeRatio": "surface_to_volume_ratio", "SurfaceArea": "surface_area_mesh",
    },
}  # fmt: skip
OURS = {"firstorder": "intensity", "gldm": "ngldm"}


def baseline(folder: Path, kind: str, column: str) -> dict[str, float]:
    with (folder / "baseline" / f"baseline_{kind}.csv").open(encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    if column not in head:
        return {}
    at = head.index(column)
    return {row[0].split("_")[-1]: float(row[at]) for row in rows if row[0].startswith("original_")}


@pytest.mark.parametrize("case", ["brain1", "brain2", "breast1"])
@pytest.mark.parametrize("bins", ["width", "number"])
def test_tumours_agree_with_pyradiomics(real_data, case: str, bins: str) -> None:
    """Texture and first order within 1e-6 of the value; meshes within 0.5 %; axes but for their n instead of n - 1."""
    folder: Path = real_data("radiomics-reference")
    values, spacing = nrrd(folder / f"{case}_image.nrrd")
    mask = nrrd(folder / f"{case}_label.nrrd")[0] == 1
    how = {"width": 25.0} if bins == "width" else {"bins": 64}
    found = radiomics(values, mask, spacing=spacing, **how)
    compared = 0
    for kind, names in THEIRS.items():
        wanted = baseline(folder, kind, case if bins == "width" else f"{case}_FBN")
        both = names.keys() & wanted.keys()
        compared += len(both)
        for theirs, ours in names.items() if both else ():
            if theirs == "GrayLevelNonUniformityNormalized" and kind == "gldm":
                continue  # not among theirs
            got, rel = found[f"{OURS.get(kind, kind)}_{ours}"], 5e-3 if kind == "shape" else 1e-6
            if ours.endswith("axis_length"):
                got *= np.sqrt((mask.sum() - 1) / mask.sum())
            assert got == pytest.approx(wanted[theirs], rel=rel), (kind, theirs)
    assert compared == (97 if bins == "width" else 74)


def test_grey_levels_are_counted_from_the_region_alone() -> None:
    rng = np.random.default_rng(0)
    values, mask = rng.normal(100, 20, (12, 14)), np.zeros((12, 14), bool)
    mask[3:9, 4:11] = True
    found = radiomics(values, mask, spacing=(0.5, 0.5), width=10.0)
    moved = np.where(mask, values, 1e6)
    assert radiomics(moved, mask, spacing=(0.5, 0.5), width=10.0) == found
    levels = np.where(mask, fixed_bin_width(np.where(mask, values, values[mask].mean()), 10.0), 0)
    lowest = levels[mask].min() - 1
    texture = texture_features(np.where(mask, levels - lowest, 0))
    assert found["glcm_contrast"] == pytest.approx(texture["glcm_contrast"])
    assert found["shape_area_pixels"] == pytest.approx(42 / 4)
    assert not [k for k in radiomics(values, mask, shape=False) if k.startswith("shape_")]


def test_a_region_that_cannot_be_measured_is_refused() -> None:
    values = np.zeros((4, 4))
    with pytest.raises(InputError, match="none"):
        radiomics(values, np.zeros((4, 4), bool))
    with pytest.raises(InputError, match="grids"):
        radiomics(values, np.ones((4, 5), bool))
    values[0, 0] = np.nan
    with pytest.raises(InputError, match="NaN"):
        radiomics(values, np.ones((4, 4), bool))
    assert len(radiomics(values, np.arange(16).reshape(4, 4) > 0)) == 18 + 23 + 79 + 11
