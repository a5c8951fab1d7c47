"""How alike the values are that two images show at the same points, and how that changes with the moving image's.

Values of the fixed image are fixed; each measure gives one number (larger: more alike) and its derivative by each value
of the moving image. Points at which the moving image shows nothing (NaN) take no part.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel

# Bins of a joint histogram. A cubic B-spline reaches one bin below and two above.
BINS = 32
LEFT, RIGHT = 1, 2


@kernel
def looked_up(
    volume: Array, matrix: Array, points: Array, values: Array, gradients: Array, sloped: bool
) -> int:
    """Linear values of a volume, and their gradients by index, where a matrix brings points.

    Parameters
    ----------
    volume
        float32 (z, y, x, c); NaN in the first channel is nothing, and so is all beyond the outermost centres by more
        than half a pixel.
    matrix
        float64 (3, 4): point (x, y, z, 1) to index (x, y, z).
    points
        float64 (n, 3).
    values, gradients
        float32 (c, n) and (c, n, 3), written here: NaN and 0 where there is nothing; gradients only if `sloped`.

    Returns
    -------
    How many points show something.
    """
    nz, ny, nx, nc = volume.shape
    seen = 0
    for i in range(len(points)):
        a, b, c = points[i, 0], points[i, 1], points[i, 2]
        x = matrix[0, 0] * a + matrix[0, 1] * b + matrix[0, 2] * c + matrix[0, 3]
        y = matrix[1, 0] * a + matrix[1, 1] * b + matrix[1, 2] * c + matrix[1, 3]
        z = matrix[2, 0] * a + matrix[2, 1] * b + matrix[2, 2] * c + matrix[2, 3]
        shown = x > -0.5 and y > -0.5 and z > -0.5 and x < nx - 0.5 and y < ny - 0.5 and z < nz - 0.5
        if shown:
            x, y, z = min(max(x, 0.0), nx - 1.0), min(max(y, 0.0), ny - 1.0), min(max(z, 0.0), nz - 1.0)
            ix, iy, iz = min(int(x), max(nx - 2, 0)), min(int(y), max(ny - 2, 0)), min(int(z), max(nz - 2, 0))
            jx, jy, jz = min(ix + 1, nx - 1), min(iy + 1, ny - 1), min(iz + 1, nz - 1)
            u, v, w = x - ix, y - iy, z - iz
        for k in range(nc):
            value = np.nan
            if shown:
                p000, p001 = volume[iz, iy, ix, k], volume[iz, iy, jx, k]
                p010, p011 = volume[iz, jy, ix, k], volume[iz, jy, jx, k]
                p100, p101 = volume[jz, iy, ix, k], volume[jz, iy, jx, k]
                p110, p111 = volume[jz, jy, ix, k], volume[jz, jy, jx, k]
                q00, q01 = p000 + u * (p001 - p000), p010 + u * (p011 - p010)
                q10, q11 = p100 + u * (p101 - p100), p110 + u * (p111 - p110)
                r0, r1 = q00 + v * (q01 - q00), q10 + v * (q11 - q10)
                value = r0 + w * (r1 - r0)
            values[k, i] = value
            if k == 0 and value == value:
                seen += 1
            if sloped:
                gradients[k, i, 0] = gradients[k, i, 1] = gradients[k, i, 2] = 0.0
                if value == value:
                    d0 = (p001 - p000) * (1 - v) + (p011 - p010) * v
                    d1 = (p101 - p100) * (1 - v) + (p111 - p110) * v
                    gradients[k, i, 0] = d0 + w * (d1 - d0)
                    gradients[k, i, 1] = (q01 - q00) * (1 - w) + (q11 - q10) * w
                    gradients[k, i, 2] = r1 - r0
    return seen


@kernel
def gathered(slopes: Array, gradients: Array, points: Array) -> Array:
    """float64 (3, 4): the sum over points of slope x gradient x (point, 1): the derivative by the matrix."""
    out = np.zeros((3, 4))
    for i in range(len(points)):
        s = slopes[i]
        if s == 0.0:
            continue
        for a in range(3):
            g = s * gradients[i, a]
            out[a, 0] += g * points[i, 0]
            out[a, 1] += g * points[i, 1]
            out[a, 2] += g * points[i, 2]
            out[a, 3] += g
    return out


@kernel
def squares(fixed: Array, moving: Array, slopes: Array) -> float:
    """Minus the mean squared difference; slopes float64 (n,) are written."""
    n, total = 0, 0.0
    for i in range(len(fixed)):
        slopes[i] = 0.0
        if moving[i] == moving[i]:
            difference = float(moving[i]) - float(fixed[i])
            total += difference * difference
            slopes[i] = -2.0 * difference
            n += 1
    if n == 0:
        return -np.inf
    for i in range(len(fixed)):
        slopes[i] /= n
    return -total / n


@kernel
def correlation(fixed: Array, moving: Array, slopes: Array) -> float:
    """Pearson's correlation, -1 to 1; 0 where either is constant. Slopes float64 (n,) are written."""
    n, sf, sm = 0, 0.0, 0.0
    for i in range(len(fixed)):
        slopes[i] = 0.0
        if moving[i] == moving[i]:
            sf += fixed[i]
            sm += moving[i]
            n += 1
    if n == 0:
        return -np.inf
    sf, sm = sf / n, sm / n
    ff, mm, fm = 0.0, 0.0, 0.0
    for i in range(len(fixed)):
        if moving[i] == moving[i]:
            a, b = fixed[i] - sf, moving[i] - sm
            ff += a * a
            mm += b * b
            fm += a * b
    if ff <= 1e-12 * n or mm <= 1e-12 * n:
        return 0.0
    scale = 1.0 / np.sqrt(ff * mm)
    for i in range(len(fixed)):
        if moving[i] == moving[i]:
            slopes[i] = scale * ((fixed[i] - sf) - fm / mm * (moving[i] - sm))
    return float(fm * scale)


@kernel
def mutual(fixed: Array, moving: Array, slopes: Array) -> float:
    """Mutual information in nats, from values in bins (0 to `BINS` - 1): of the fixed image the nearest bin, of the
    moving one a cubic B-spline (Mattes et al., IEEE TMI 22 (2003) 120). Slopes float64 (n,) are written."""
    joint = np.zeros((BINS, BINS + LEFT + RIGHT))
    n = 0
    for i in range(len(fixed)):
        slopes[i] = 0.0
        if moving[i] == moving[i]:
            j = int(moving[i])
            t = moving[i] - j
            row = int(fixed[i] + 0.5)
            joint[row, j] += (1 - t) ** 3 / 6
            joint[row, j + 1] += (3 * t**3 - 6 * t**2 + 4) / 6
            joint[row, j + 2] += (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6
            joint[row, j + 3] += t**3 / 6
            n += 1
    if n == 0:
        return -np.inf
    joint /= n
    total = _information(joint)
    for i in range(len(fixed)):
        if moving[i] == moving[i]:
            j = int(moving[i])
            t = moving[i] - j
            row = int(fixed[i] + 0.5)
            slopes[i] = (
                -0.5 * (1 - t) ** 2 * joint[row, j]
                + (1.5 * t**2 - 2 * t) * joint[row, j + 1]
                + (-1.5 * t**2 + t + 0.5) * joint[row, j + 2]
                + 0.5 * t**2 * joint[row, j + 3]
            ) / n
    return total


@kernel
def _information(joint: Array) -> float:
    """Mutual information of a joint density, which becomes log(p(f, m) / p(m)): its derivative but for constants."""
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    total = 0.0
    for r in range(joint.shape[0]):
        for c in range(joint.shape[1]):
            p = joint[r, c]
            if p > 1e-12:
                total += p * np.log(p / (rows[r] * columns[c]))
                joint[r, c] = np.log(p / columns[c])
            else:
                joint[r, c] = 0.0
    return total


Measure = Callable[[Array, Array, Array], float]
MEASURES: dict[str, Measure] = {
    "squares": squares, "correlation": correlation, "mutual": mutual, "mind": correlation,
}
