"""The answer of one network as a number, and its gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from isocenter.data import NotEvaluated, Opened
from isocenter.errors import NotFoundError, RecipeError, nearest
from isocenter.metrics.asked import NOT, refuted
from isocenter.ops.array import Array

Score = Callable[[Any], Any]
# Networks of 224 pixels, for which Grad-CAM was published, end in 7 x 7 places; one of 3 x 3 points at a ninth.
PLACES = 6
# What explains a method without an inside.
BLACK_BOX = "isocenter explain ... --method occlusion takes any predictor, shapley any that knows facts"


def differentiable(of: Any, *, who: str) -> None:
    """RecipeError unless `of` is one network that can be opened; `who` asks."""
    if of is None:
        raise RecipeError(f"{who} explain another method", wanted="of=", remedy="Name a bundle of a network")
    if not hasattr(of, "opened"):
        raise RecipeError(
            f"{who} need the inside of one network",
            got=type(of).__name__,
            wanted="a fitted network with opened()",
            remedy=f"Methods without gradients can be explained all the same: {BLACK_BOX}",
        )


def chosen(inside: Opened, x: Any, target: str | None) -> tuple[str, Score] | NotEvaluated:
    """The class to explain, and its score as a function of the logits (1, classes[, *grid]).

    Parameters
    ----------
    inside
        The network.
    x
        Prepared tensor (1, c, *grid).
    target
        A class; ``"not CLASS"``: the log-odds of all others together; None: the network's own answer, of pixels the
        region with the most of them.

    Raises
    ------
    NotFoundError
        The network knows no such class.
    """
    import torch

    with torch.no_grad():
        logits = inside.module(x)
    other = refuted(target, inside.classes) if logits.ndim == 2 else None
    if target is not None and target not in inside.classes and other is None:
        raise NotFoundError(f"the network knows no class {target!r}", remedy=nearest(target, inside.classes))
    if other is not None:
        at = inside.classes.index(other)
        rest = [i for i in range(len(inside.classes)) if i != at]
        return f"{NOT}{other}", lambda z: torch.logsumexp(z[0, rest], dim=0) - z[0, at]
    if logits.ndim == 2:
        index = int(logits[0].argmax()) if target is None else inside.classes.index(str(target))
        return inside.classes[index], lambda z: z[0, index]
    # What a network says beyond its classes (depth, offsets) is no class.
    labels = logits[0, : len(inside.classes)].argmax(dim=0)
    counts = torch.bincount(labels.flatten(), minlength=len(inside.classes))
    index = 1 + int(counts[1:].argmax()) if target is None else inside.classes.index(target)
    if not counts[index]:
        what = "no region" if target is None else f"no {target}"
        return NotEvaluated(f"the network finds {what} here, so there is no answer to explain")
    region = (labels == index).to(logits.dtype)
    return inside.classes[index], lambda z: (z[0, index] * region).sum()


def gradient(module: Any, x: Any, score: Score) -> tuple[float, Array]:
    """The score at x (1, c, *grid) and its gradient there, float64 (c, *grid)."""
    import torch

    with torch.enable_grad():
        at = x.detach().requires_grad_(True)
        value = score(module(at))
        (slope,) = torch.autograd.grad(value, at)
    return float(value.detach()), slope[0].double().numpy()


def of_layer(inside: Opened, x: Any, score: Score, layer: str | None) -> tuple[Any, Any]:
    """The output of one module (1, c, *coarser grid) and the gradient of the score there, detached.

    Raises
    ------
    NotFoundError
        There is no such module, or its output has no grid.
    """
    import torch

    name = _named(inside, layer, x)
    with _listening(inside, name) as seen, torch.enable_grad():
        value = score(inside.module(x.detach().requires_grad_(True)))
        maps = _with_grid(inside, seen, x, name)
        (slope,) = torch.autograd.grad(value, maps)
    return maps.detach(), slope.detach()


def output_of(inside: Opened, x: Any, layer: str | None) -> tuple[Any, str]:
    """The output of one module (1, c, *coarser grid) and its name; raises as `of_layer`."""
    import torch

    name = _named(inside, layer, x)
    with _listening(inside, name) as seen, torch.no_grad():
        inside.module(x)
        return _with_grid(inside, seen, x, name), name


def _named(inside: Opened, layer: str | None, x: Any) -> str:
    """The layer asked for, else the deepest of the usual ones that still tells `PLACES` places apart on an axis."""
    modules = dict(inside.module.named_modules())
    if layer is not None:
        if layer not in modules:
            raise NotFoundError(f"the network has no layer {layer!r}", remedy=nearest(layer, inside.layers))
        return layer
    known = [name for name in inside.layers if name in modules]
    if not known:
        raise NotFoundError("the network has no layer whose output has a grid", got=", ".join(inside.layers))
    fine = [name for name in known if _places(inside, name, x) >= PLACES]
    return fine[-1] if fine else known[-1]


def _places(inside: Opened, name: str, x: Any) -> int:
    """Pixels along the longest axis of a layer's output; 0 where it has no grid."""
    import torch

    with _listening(inside, name) as seen, torch.no_grad():
        inside.module(x)
    return max(seen[-1].shape[2:]) if seen and isinstance(seen[-1], torch.Tensor) and seen[-1].ndim == x.ndim else 0


@contextmanager
def _listening(inside: Opened, name: str) -> Iterator[list[Any]]:
    """What the module answers, as it answers."""
    seen: list[Any] = []
    module = dict(inside.module.named_modules())[name]
    handle = module.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    try:
        yield seen
    finally:
        handle.remove()


def _with_grid(inside: Opened, seen: list[Any], x: Any, name: str) -> Any:
    import torch

    if not seen or not isinstance(seen[-1], torch.Tensor) or seen[-1].ndim != x.ndim:
        raise NotFoundError(f"the output of {name!r} has no grid", remedy=nearest(name, inside.layers))
    return seen[-1]
