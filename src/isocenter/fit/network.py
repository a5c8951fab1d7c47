"""Which network: its name, widths and strides, from the recipe and the size of a patch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from isocenter.fit.fingerprint import Fingerprint

# Channels of the first stage and the most of any; pixels that every axis keeps at the deepest stage; most steps down.
WIDTH, WIDEST, LEAST, DEPTH = {2: 16, 3: 16}, 256, 4, {2: 5, 3: 4}
# Training cases from which a residual network of 18 layers is worth its time.
ENOUGH = 300


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
    if fp.task == "segment":
        return _dense(recipe, fp, patch, spacing, base, origins)
    if asked is None:
        base["name"] = "resnet18" if fp.n >= ENOUGH and min(patch) >= 48 else "small"
        origins["network.name"] = f"fingerprint: {fp.n} training cases of {tuple(patch)}"
    if ":" not in base["name"]:
        _set(base, recipe, "width", 16 if base["name"] == "small" else 64, origins)
        _set(base, recipe, "dropout", 0.2, origins)
    if base["name"] == "small":
        base["depth"] = max(2, min(5, int(math.log2(max(8, min(patch)))) - 2))
    return base, ()


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
    strides = strides_of(patch, spacing, most=getattr(recipe, "depth", None) or DEPTH[fp.rank])
    origins["network.strides"] = f"fingerprint: patch {tuple(patch)}, at least {LEAST} pixels at the deepest stage"
    width = getattr(recipe, "width", None) or WIDTH[fp.rank]
    origins["network.widths"] = "default" if getattr(recipe, "width", None) is None else "recipe"
    base["widths"] = [min(WIDEST, width * 2**i) for i in range(len(strides) + 1)]
    base["strides"] = strides
    base["residual"] = bool(getattr(recipe, "residual", None))
    base["deep"] = max(0, min(2, len(strides) - 2))
    divisor = tuple(math.prod(s[a] for s in strides) for a in range(fp.rank))
    return base, divisor


def deepest(network: Mapping[str, Any], patch: Sequence[int]) -> int | None:
    """Fewest pixels of any axis at the deepest stage for one patch; None for networks of others.

    >>> deepest({"name": "resnet18"}, (224, 224))
    7
    """
    name = network["name"]
    if name == "unet":
        steps: list[list[int]] = network["strides"]
        return min(math.ceil(p / math.prod(s[a] for s in steps)) for a, p in enumerate(patch))
    halvings = {"resnet18": 5, "small": int(network.get("depth", 4)) - 1}.get(name)
    return None if halvings is None else min(math.ceil(p / 2**halvings) for p in patch)


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
