"""Which network answers about an image whole, from the recipe, the number of cases and the size of an image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from isocenter.errors import RecipeError, nearest
from isocenter.fit.fingerprint import Fingerprint
from isocenter.fit.pretrained import adapted, digest, named

# Training cases from which a residual network of 18 layers is worth its time, and pixels of the shorter side.
ENOUGH, ACROSS = 300, 48
# Channels of the first stage, by axes, where nobody says: a training on one core takes minutes, not hours.
WIDTH = {
    "small": {2: 16, 3: 16}, "textbook": {2: 16, 3: 8}, "alexnet": {2: 32, 3: 32}, "vgg16": {2: 16, 3: 8},
    "googlenet": {2: 32, 3: 16}, "resnet18": {2: 64, 3: 16}, "resnet50": {2: 32, 3: 16}, "densenet121": {2: 32, 3: 16},
    "mobilenet_v3_small": {2: 16, 3: 16}, "efficientnet_lite0": {2: 32, 3: 16},
}  # fmt: skip
# Those of the published weights.
PUBLISHED = {"alexnet": 64, "vgg16": 64, "googlenet": 64, "resnet18": 64, "resnet50": 64, "densenet121": 64,
             "mobilenet_v3_small": 16, "efficientnet_lite0": 32}  # fmt: skip
# What is dropped before dense layers of many weights.
DROPOUT = {"textbook": 0.5, "alexnet": 0.5, "vgg16": 0.5}
# Means per axis that the dense layers of the published weights see.
POOLED = {"alexnet": 6, "vgg16": 7}
# Fewest pixels of an axis on which all layers of a network have something to see.
LEAST = {"alexnet": 63, "vgg16": 32, "googlenet": 15, "densenet121": 29}

Window = tuple[int, int, int]
STEM, HALF, POOL = (7, 2, 3), (3, 2, 1), (2, 2, 0)
# Windows (pixels, stride, padding) on the way to the last convolution.
LEFT: dict[str, tuple[Window, ...]] = {
    "small": (), "textbook": (), "alexnet": ((11, 4, 2), (3, 2, 0), (3, 2, 0)), "vgg16": (POOL,) * 4,
    "googlenet": (STEM, (3, 2, 0), (3, 2, 0), (3, 2, 0), POOL), "resnet18": (STEM, *(HALF,) * 4),
    "resnet50": (STEM, *(HALF,) * 4), "densenet121": (STEM, HALF, *(POOL,) * 3), "mobilenet_v3_small": (HALF,) * 5,
    "efficientnet_lite0": (HALF, HALF, (5, 2, 2), HALF, (5, 2, 2)),
}  # fmt: skip
# Networks whose poolings also count a last window that is not full.
UP = ("googlenet",)


def classifier(
    recipe: Any, fp: Fingerprint, patch: Sequence[int], base: Mapping[str, Any], origins: dict[str, str]
) -> dict[str, Any]:
    """The description for `nets.build`.

    Parameters
    ----------
    recipe
        A method of networks that answer about an image whole.
    fp, patch
        What it must fit.
    base
        Name (None: the plan decides), rank, channels, outputs.
    origins
        Receives the reasons.

    Raises
    ------
    RecipeError
        An unknown network, images smaller than it can see, or slices as context of images of two axes.
    MissingFileError, BundleError
        Weights that are not there or do not fit.
    """
    made, form = dict(base), getattr(recipe, "form", None)
    context: int | None = getattr(form, "context", None)
    plane = patch if context is None else patch[1:]
    if made["name"] is None:
        made["name"] = "resnet18" if fp.n >= ENOUGH and min(plane) >= ACROSS else "small"
        origins["network.name"] = f"fingerprint: {fp.n} training cases of {tuple(patch)}"
    name = str(made["name"])
    if ":" in name:
        return made
    _refused(name, plane, context=context, rank=fp.rank)
    weights = named(recipe)
    width = WIDTH[name][fp.rank] if weights is None else PUBLISHED.get(name, WIDTH[name][fp.rank])
    for field, default in (("width", width), ("dropout", DROPOUT.get(name, 0.2))):
        mine = getattr(recipe, field, None)
        made[field] = default if mine is None else mine
        origins[f"network.{field}"] = "default" if mine is None else "recipe"
    if context is not None:
        made["context"] = context
    made |= _size(name, made, plane, whole=weights is not None)
    if weights is not None:
        said = adapted(weights, made)
        origins["network.weights"] = "; ".join([f"recipe: sha256 {digest(weights)}", *said])
    return made


def _size(name: str, network: Mapping[str, Any], plane: Sequence[int], *, whole: bool) -> dict[str, Any]:
    """What else a network of this name needs: how deep, how many means, whether heads half way."""
    if name == "small":
        return {"depth": depth_of(plane)}
    if name == "textbook":
        return {"depth": max(1, min(4, int(math.log2(max(8, min(plane)))) - 3))}
    if name == "googlenet":
        return {"aux": True}
    if name in POOLED:
        last: Window = (3, 2, 0) if name == "alexnet" else POOL
        there = min(_after(n, (*LEFT[name], last), up=False) for n in plane)
        # Means of fewer pixels than bins would be the same number again and again.
        return {"pooled": POOLED[name] if whole else max(1, min(POOLED[name], there))}
    return {}


def depth_of(plane: Sequence[int]) -> int:
    """Stages of the network `small` on images of so many pixels per axis: at least 4 are left across.

    >>> depth_of((96, 128))
    4
    """
    return max(2, min(5, int(math.log2(max(8, min(plane)))) - 2))


def left(network: Mapping[str, Any], patch: Sequence[int]) -> list[int]:
    """Pixels of each axis at the last convolution of a network of `LEFT`, for one patch.

    >>> left({"name": "resnet18"}, (224, 200)), left({"name": "alexnet"}, (224, 64))
    ([7, 7], [13, 3])
    """
    name = str(network["name"])
    windows = LEFT[name]
    if name in ("small", "textbook"):
        window = HALF if name == "small" else POOL
        windows = (window,) * (int(network.get("depth", 4 if name == "small" else 3)) - 1)
    kept = 0 if network.get("context") is None else 1
    return [*patch[:kept], *(_after(n, windows, up=name in UP) for n in patch[kept:])]


def _after(pixels: int, windows: Sequence[Window], *, up: bool) -> int:
    for size, stride, padding in windows:
        reach = pixels + 2 * padding - size
        # A convolution never counts what is not full; of these networks it alone is padded.
        pixels = (math.ceil(reach / stride) if up and not padding else reach // stride) + 1
    return pixels


def _refused(name: str, plane: Sequence[int], *, context: int | None, rank: int) -> None:
    if name not in WIDTH:
        raise RecipeError(f"no network {name!r} answers about an image whole", remedy=nearest(name, WIDTH))
    if context is not None and rank != 3:
        raise RecipeError(
            "slices as context need volumes", got=f"{rank}D images", wanted="3D", remedy="Leave form.context out"
        )
    if min(plane) < LEAST.get(name, 1):
        raise RecipeError(
            f"the images are too small for {name}",
            got=f"{min(plane)} pixels across",
            wanted=f"at least {LEAST[name]}",
            remedy="Set network to small, textbook, resnet18, resnet50 or mobilenet_v3_small, or before.spacing to a "
            "finer grid",
        )
