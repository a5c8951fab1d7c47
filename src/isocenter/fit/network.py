"""Which network: its name, widths and strides, from the recipe and the size of a patch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from isocenter.errors import RecipeError
from isocenter.fit import questions
from isocenter.fit.classifiers import LEFT, classifier, left
from isocenter.fit.fingerprint import Fingerprint
from isocenter.fit.pretrained import digest

# Channels of the first stage and the most of any; pixels that every axis keeps at the deepest stage; most steps down.
WIDTH, WIDEST, LEAST, DEPTH = {2: 16, 3: 16}, 256, 4, {2: 5, 3: 4}
# Coarse pixels per axis for which the atrous rates 6, 12, 18 were chosen (Chen et al. 2018: crops of 513, stride 16).
PAPER = 33


def describe(
    recipe: Any,
    fp: Fingerprint,
    patch: Sequence[int],
    spacing: Sequence[float] | None,
    channels: int,
    origins: dict[str, str],
) -> tuple[dict[str, Any], tuple[int, ...]]:
    """The description for `nets.build`, and by what every axis of the grid must be divisible.

    Parameters
    ----------
    recipe
        Names the network, or None.
    fp, patch, spacing, channels
        What it must fit.
    origins
        Receives the reasons.
    """
    asked = recipe.network
    base: dict[str, Any] = {"name": asked, "rank": fp.rank, "channels": channels, "outputs": len(fp.classes), "seed": 0}
    origins["network.name"] = "default" if asked is None else "recipe"
    if asked is not None and not isinstance(asked, str):
        kind = type(asked)
        return base | {"name": "given", "class": f"{kind.__module__}:{kind.__qualname__}"}, (
            2 ** DEPTH[fp.rank],
        ) * fp.rank
    if questions.of(fp.head or fp.task).dense:
        return _dense(recipe, fp, patch, spacing, base, origins)
    return classifier(recipe, fp, patch, base, origins), ()


def _dense(
    recipe: Any,
    fp: Fingerprint,
    patch: Sequence[int],
    spacing: Sequence[float] | None,
    base: dict[str, Any],
    origins: dict[str, str],
) -> tuple[dict[str, Any], tuple[int, ...]]:
    base["name"] = recipe.network or "unet"
    if ":" in base["name"]:
        return base, (2 ** DEPTH[fp.rank],) * fp.rank
    make = {"fcn": _fcn, "vgg_decoder": _vgg, "deeplab": _deeplab}.get(base["name"], _unet)
    base |= make(recipe, fp, patch, spacing, origins)
    return base, tuple(math.prod(s[a] for s in base["strides"]) for a in range(fp.rank))


def _unet(
    recipe: Any, fp: Fingerprint, patch: Sequence[int], spacing: Sequence[float] | None, origins: dict[str, str]
) -> dict[str, Any]:
    most = getattr(recipe, "depth", None) or DEPTH[fp.rank]
    form = getattr(recipe, "form", None)
    context: int | None = getattr(form, "context", None)
    if context is None:
        strides = strides_of(patch, spacing, most=most)
    elif fp.rank != 3:
        raise RecipeError(
            "slices as context need volumes", got=f"{fp.rank}D images", wanted="3D", remedy="Leave form.context out"
        )
    else:
        plane = strides_of(patch[1:], None if spacing is None else spacing[1:], most=most)
        strides = [[1, *s] for s in plane]
    origins["network.strides"] = f"fingerprint: patch {tuple(patch)}, at least {LEAST} pixels at the deepest stage"
    width = getattr(recipe, "width", None) or WIDTH[fp.rank]
    origins["network.widths"] = "default" if getattr(recipe, "width", None) is None else "recipe"
    made: dict[str, Any] = {
        "widths": [min(WIDEST, width * 2**i) for i in range(len(strides) + 1)],
        "strides": strides,
        "residual": bool(getattr(form, "residual", None)),
        "deep": max(0, min(2, len(strides) - 2)),
    }
    # Descriptions without these are those of older bundles.
    if getattr(form, "attention", None):
        made["attention"] = True
    if getattr(form, "distance", None):
        made["distance"] = True
        origins["network.distance"] = "recipe: a second head learns distances to edges"
    return made if context is None else made | {"context": context}


def _fcn(
    recipe: Any, fp: Fingerprint, patch: Sequence[int], spacing: Sequence[float] | None, origins: dict[str, str]
) -> dict[str, Any]:
    strides = _steps(patch, spacing, 5, origins)
    encoder = getattr(recipe, "encoder", None) or "vgg"
    origins["network.encoder"] = "default" if getattr(recipe, "encoder", None) is None else "recipe"
    skips = {"32s": 0, "16s": 1, "8s": 2}[getattr(recipe, "finest", "8s")]
    made = {"strides": strides if encoder == "vgg" else _filled(strides, 2), "encoder": encoder, "skips": skips}
    _set(made, recipe, "width", WIDTH[fp.rank] if encoder == "vgg" else 2 * WIDTH[fp.rank], origins)
    return made


def _vgg(
    recipe: Any, fp: Fingerprint, patch: Sequence[int], spacing: Sequence[float] | None, origins: dict[str, str]
) -> dict[str, Any]:
    weights: str | None = getattr(recipe, "weights", None)
    frozen = bool(getattr(recipe, "frozen", False))
    made: dict[str, Any] = {"strides": _filled(_steps(patch, spacing, 4, origins), 4), "frozen": frozen}
    _set(made, recipe, "width", WIDTH[fp.rank] if weights is None else 64, origins)
    if weights is not None:
        origins["network.weights"] = f"recipe: sha256 {digest(weights)}"
    return made


def _deeplab(
    recipe: Any, fp: Fingerprint, patch: Sequence[int], spacing: Sequence[float] | None, origins: dict[str, str]
) -> dict[str, Any]:
    made: dict[str, Any] = {"strides": _filled(_steps(patch, spacing, 4, origins), 4)}
    _set(made, recipe, "width", 2 * WIDTH[fp.rank], origins)
    coarse = deepest({"name": "deeplab", **made}, patch) or 1
    rates: tuple[int, ...] | None = getattr(recipe, "rates", None)
    made["rates"] = list(rates or (max(1, round(r * coarse / PAPER)) for r in (6, 12, 18)))
    said = f"fingerprint: {coarse} coarse pixels, in proportion to 6, 12, 18 of {PAPER} in the paper"
    origins["network.rates"] = said if rates is None else "recipe"
    return made


def _steps(
    patch: Sequence[int], spacing: Sequence[float] | None, most: int, origins: dict[str, str]
) -> list[list[int]]:
    origins["network.strides"] = f"fingerprint: patch {tuple(patch)}, at least {LEAST} pixels at the deepest stage"
    return strides_of(patch, spacing, most=most)


def _filled(strides: list[list[int]], least: int) -> list[list[int]]:
    """At least so many steps; those that are added keep the grid."""
    return strides + [[1] * len(strides[0])] * (least - len(strides))


def deepest(network: Mapping[str, Any], patch: Sequence[int]) -> int | None:
    """Fewest pixels of any axis at the deepest stage for one patch; None for networks of others.

    >>> deepest({"name": "resnet18"}, (224, 224))
    7
    """
    name = network["name"]
    if "strides" in network:
        steps: list[list[int]] = network["strides"]
        return min(math.ceil(p / math.prod(s[a] for s in steps)) for a, p in enumerate(patch))
    return min(left(network, patch)) if name in LEFT else None


def numbers(network: Mapping[str, Any]) -> float:
    """Numbers that a network with `strides` makes of one pixel on its way forwards and keeps for the way back, roughly.

    >>> numbers({"name": "unet", "widths": [16, 32], "strides": [[2, 2]]})
    528.0
    """
    shares = [1.0]
    for stride in network["strides"]:
        shares.append(shares[-1] / float(math.prod(stride)))
    if network["name"] == "velocity":
        shares = shares[1:]
    if network["name"] in ("unet", "velocity"):
        return 22 * float(sum(w * s for w, s in zip(network["widths"], shares, strict=True)))
    width = float(network["width"])
    if network["name"] == "deeplab" or network.get("encoder") == "resnet18":
        # Two blocks a stage; stages beyond the last step keep its grid.
        stages = [2.0**i * shares[min(2 + i, len(shares) - 1)] for i in range(4)]
        decoder = 24 * shares[2] if network["name"] == "deeplab" else 0.0
        return width * (5 * shares[1] + 22 * sum(stages) + decoder)
    each = 20.0 if network["name"] == "vgg_decoder" else 10.0
    return each * width * sum(min(8.0, 2.0**i) * s for i, s in enumerate(shares))


def strides_of(patch: Sequence[int], spacing: Sequence[float] | None = None, *, most: int = 5) -> list[list[int]]:
    """Steps down: an axis is halved while it keeps enough pixels and is not more than twice as coarse as the finest.

    >>> strides_of((16, 64, 64), (4.0, 1.0, 1.0), most=3)
    [[1, 2, 2], [1, 2, 2], [2, 2, 2]]
    """
    size, unit = [float(p) for p in patch], list(spacing or (1.0,) * len(patch))
    out: list[list[int]] = []
    while len(out) < most:
        finest = min((u for s, u in zip(size, unit, strict=True) if s >= 2 * LEAST), default=min(unit))
        step = [2 if s >= 2 * LEAST and u < 1.99 * finest else 1 for s, u in zip(size, unit, strict=True)]
        if max(step) == 1:
            break
        size = [s / k for s, k in zip(size, step, strict=True)]
        unit = [u * k for u, k in zip(unit, step, strict=True)]
        out.append(step)
    return out or [[2] * len(patch)]


def _set(base: dict[str, Any], recipe: Any, name: str, default: Any, origins: dict[str, str]) -> None:
    value = getattr(recipe, name, None)
    base[name] = default if value is None else value
    origins[f"network.{name}"] = "default" if value is None else "recipe"
