"""Augmentation: drawn once per sample, applied to image and labels by their type, in one sampling of the patch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from isocenter.data import Augment, Intensity, Spatial
from isocenter.ops.array import Array
from isocenter.ops.resample import winner

# Samples that are only cut out: the network also sees pixels that no interpolation has smoothed.
PLAIN = 0.2
AXES = "zyx"

Knobs = TypeVar("Knobs", Spatial, Intensity)


@dataclass(frozen=True)
class Pose:
    """Where the pixels of a patch lie in the image.

    Parameters
    ----------
    centre
        Position of the patch's centre, in pixels of the image.
    matrix
        (rank, rank): offset from the patch's centre to offset in the image, pixels.
    warp
        (rank, *coarse) smooth displacement in pixels on a coarse grid over the patch, or None.
    """

    centre: Array
    matrix: Array
    warp: Array | None = None


def drawn(
    rng: np.random.Generator,
    spatial: Spatial,
    patch: Sequence[int],
    centre: Array,
    *,
    spacing: Sequence[float] | None = None,
) -> Pose:
    """One random pose.

    Parameters
    ----------
    rng
        Source of randomness; always read equally often, so that one knob does not move the others.
    spatial
        Ranges; None counts as off.
    patch
        Pixels per axis.
    centre
        Of the patch before the shift.
    spacing
        mm per axis: angles are angles in the patient on grids of unequal spacing too.
    """
    rank = len(patch)
    u = rng.random(4 + 4 * rank)
    angles = np.deg2rad(_within(spatial.rotation, u[:3]))
    scale = _within(spatial.scaling, u[3:4], one=True)[0]
    shears = np.tan(np.deg2rad(_within(spatial.shear, u[4 : 4 + rank])))
    shift = _within(spatial.translation, u[4 + rank : 4 + 2 * rank]) * np.asarray(patch)
    flips = np.array(
        [
            -1.0 if a in (spatial.flip or ()) and v < 0.5 else 1.0
            for a, v in zip(AXES[-rank:], u[4 + 2 * rank : 4 + 3 * rank], strict=True)
        ]
    )
    plain, strength = u[-1] < PLAIN, u[-2]
    noise = rng.standard_normal((rank, *(max(3, p // 24) for p in patch)))
    if plain:
        return Pose(np.asarray(centre, float), np.diag(flips))
    unit = np.asarray(spacing or (1.0,) * rank, float)
    matrix = _rotation(angles, rank) @ (np.eye(rank) + np.diag(shears[1:], 1)) / scale
    warp = noise * spatial.elastic * strength if spatial.elastic else None
    return Pose(np.asarray(centre, float) + shift, (matrix * unit[None, :] / unit[:, None]) * flips[None, :], warp)


def _within(limits: Sequence[float] | None, u: Array, *, one: bool = False) -> Array:
    if limits is None:
        return np.full(u.shape, 1.0 if one else 0.0)
    low, high = limits
    # Factors are drawn evenly in their logarithm, so that halving is as likely as doubling.
    return np.asarray(np.exp(np.log(low) + u * (np.log(high) - np.log(low))) if one else low + u * (high - low))


def _rotation(angles: Array, rank: int) -> Array:
    out = np.eye(rank)
    planes = [(0, 1)] if rank == 2 else [(1, 2), (0, 2), (0, 1)]
    for angle, (a, b) in zip(angles, planes, strict=False):
        part = np.eye(rank)
        part[a, a] = part[b, b] = np.cos(angle)
        part[a, b], part[b, a] = -np.sin(angle), np.sin(angle)
        out = out @ part
    return out


def positions(pose: Pose, patch: Sequence[int]) -> Tensor:
    """float32 (*patch, rank): where each pixel of the patch lies in the image, in pixels, array order."""
    axes = [torch.arange(p, dtype=torch.float32) - (p - 1) / 2 for p in patch]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)
    if pose.warp is not None:
        mode = "bilinear" if len(patch) == 2 else "trilinear"
        field = functional.interpolate(
            torch.from_numpy(pose.warp).float()[None], tuple(patch), mode=mode, align_corners=True
        )[0]
        grid = grid + field.movedim(0, -1)
    out: Tensor = grid @ torch.from_numpy(pose.matrix.T).float() + torch.from_numpy(pose.centre).float()
    return out


def sampled(image: Array, where: Tensor) -> Array:
    """Linear samples (c, *patch) of an image (c, *grid) at `where`; beyond its edge the image is mirrored."""
    box, offset = _reached(where, image.shape[1:])
    source = np.ascontiguousarray(image[(slice(None), *box)])
    grid = _unit(where - offset, source.shape[1:])
    out = functional.grid_sample(
        torch.from_numpy(source)[None], grid[None], mode="bilinear", padding_mode="reflection", align_corners=False
    )
    array: Array = out[0].numpy()
    return array


def sampled_labels(labels: Array, where: Tensor, classes: int, *, ignore: int = 255) -> Array:
    """Labels uint8 (*patch) of a label map (*grid) at `where`.

    Each class is sampled linearly and the largest wins; `ignore` stays where it outweighs, and fills what lies beyond
    the image, so that nothing is learnt about pixels that nobody labelled.
    """
    box, offset = _reached(where, labels.shape)
    source = labels[box]
    layers = np.stack([source == v for v in (*range(classes), ignore)]).astype(np.float32)
    grid = _unit(where - offset, source.shape)
    votes = functional.grid_sample(
        torch.from_numpy(layers)[None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=False
    )[0].numpy()
    best = winner(votes)
    best[(best == classes) | (votes.sum(0) < 0.5)] = ignore
    return best


def _reached(where: Tensor, shape: Sequence[int]) -> tuple[tuple[slice, ...], Tensor]:
    """The part of the image that `where` and its mirror images beyond the edges touch, and its first pixel."""
    flat = where.reshape(-1, len(shape))
    box = []
    for n, low, high in zip(shape, flat.min(0).values.tolist(), flat.max(0).values.tolist(), strict=True):
        start, stop = math.floor(low) - 1, math.ceil(high) + 2
        # What lies beyond one edge is seen as far inside it.
        start, stop = min(start, 2 * n - stop - 2), max(stop, 2 - start)
        box.append(slice(min(max(0, start), n - 1), max(1, min(n, stop))))
    return tuple(box), torch.tensor([float(b.start) for b in box])


def _unit(where: Tensor, shape: Sequence[int]) -> Tensor:
    # grid_sample wants (x, y[, z]) in -1..1 over the edges of the image.
    size = torch.tensor([float(s) for s in shape])
    return ((2 * where + 1) / size - 1).flip(-1)


def shaded(rng: np.random.Generator, image: Array, intensity: Intensity, share: float) -> Array:
    """The patch with other values: gain, offset, gamma, blur, low resolution and noise, each with probability `share`.

    Parameters
    ----------
    rng
        Source of randomness; always read equally often but for the noise itself, which comes last.
    image
        float32 (c, *patch), normalised.
    intensity
        Ranges; None counts as off.
    share
        Probability of each step.
    """
    on, u = rng.random(6) < share, rng.random(6)
    # Colour channels drift apart a little; noise is drawn pixel by pixel.
    apart = 1 + 0.5 * (rng.random((2, len(image))) - 0.5)
    out = image
    if on[0] and intensity.gamma:
        out = _gamma(out, float(_within(intensity.gamma, u[:1], one=True)[0]))
    column = (slice(None),) + (None,) * (image.ndim - 1)
    if on[1] and intensity.gain:
        out = out * (float(_within(intensity.gain, u[1:2], one=True)[0]) ** apart[0]).astype(np.float32)[column]
    if on[2] and intensity.offset:
        out = out + ((2 * u[2] - 1) * intensity.offset * apart[1]).astype(np.float32)[column]
    if on[3] and intensity.blur:
        out = ndimage.gaussian_filter(out, (0, *([u[3] * intensity.blur] * (image.ndim - 1))))
    if on[4] and intensity.low_resolution and intensity.low_resolution > 1:
        out = _coarse(out, 1 + u[4] * (intensity.low_resolution - 1))
    if on[5] and intensity.noise:
        out = out + (u[5] * intensity.noise) * rng.standard_normal(out.shape, dtype=np.float32)
    return np.ascontiguousarray(out, dtype=np.float32)


def _gamma(image: Array, power: float) -> Array:
    axes = tuple(range(1, image.ndim))
    low, high = image.min(axes, keepdims=True), image.max(axes, keepdims=True)
    span = np.maximum(high - low, 1e-6)
    out: Array = np.power((image - low) / span, power) * span + low
    # Mean and spread stay: gamma bends the curve, gain and offset move it.
    mean, sd = image.mean(axes, keepdims=True), image.std(axes, keepdims=True)
    spread = np.maximum(out.std(axes, keepdims=True), 1e-6)
    return np.asarray((out - out.mean(axes, keepdims=True)) * (sd / spread) + mean)


def _coarse(image: Array, factor: float) -> Array:
    shape = image.shape[1:]
    mode = "bilinear" if len(shape) == 2 else "trilinear"
    small = [max(2, round(s / factor)) for s in shape]
    down = functional.interpolate(torch.from_numpy(np.ascontiguousarray(image))[None], small, mode="nearest")
    array: Array = functional.interpolate(down, shape, mode=mode, align_corners=False)[0].numpy()
    return array


def resolved(augment: Augment, defaults: Augment) -> Augment:
    """`augment` with every None taken from `defaults`."""
    share = defaults.share if augment.share is None else augment.share
    spatial, intensity = filled(augment.spatial, defaults.spatial), filled(augment.intensity, defaults.intensity)
    return Augment(spatial, intensity, share, augment.adversarial)


def filled(mine: Knobs, defaults: Knobs) -> Knobs:
    """`mine` with every None taken from `defaults`."""
    return replace(mine, **{f.name: getattr(defaults, f.name) for f in fields(mine) if getattr(mine, f.name) is None})
