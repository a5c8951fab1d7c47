"""Guided backpropagation: the gradient that every rectifier lets through only where it speaks for the answer.

It draws sharp edges, and that is its fault: its maps hardly change when the network's weights are drawn anew (Adebayo
et al., NeurIPS 2018), so they show the image more than the network. The weight randomisation beside each map tells.
"""

from __future__ import annotations

from typing import Any

from isocenter.errors import InputError
from isocenter.ops.array import Array
from isocenter.tasks.explain._inside import Score, gradient


def guided(module: Any, x: Any, score: Score) -> Array:
    """Guided gradient of the score at x (1, c, *grid), float64 (c, *grid).

    Of leaky rectifiers the positive side counts as of others, the negative lets nothing through.

    Raises
    ------
    InputError
        The network has no rectifier (ReLU, leaky ReLU).

    Source: Springenberg et al., Striving for simplicity, ICLR 2015 workshop.
    """
    from torch.overrides import TorchFunctionMode

    rectifiers, rule = _rectifiers(), _rule()

    class Guiding(TorchFunctionMode):  # type: ignore[misc]
        met = 0

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func not in rectifiers:
                return func(*args, **(kwargs or {}))
            self.met += 1
            function, takes_slope = rectifiers[func]
            # In place or not must not matter: what came in is needed on the way back.
            slope = args[1] if len(args) > 1 else (kwargs or {}).get("negative_slope", 0.01)
            return rule.apply(args[0], (lambda v: function(v, slope)) if takes_slope else function)

    with Guiding() as mode:
        _, slope = gradient(module, x, score)
    if not mode.met:
        raise InputError(
            "guided backpropagation needs rectifiers, and this network has none",
            remedy="Use kind=grad-cam, gradient or integrated-gradients, or --method occlusion",
        )
    return slope


def _rectifiers() -> dict[Any, tuple[Any, bool]]:
    """What rectifies, to the same function that leaves its input as it is, and whether it takes a slope."""
    import torch
    from torch.nn import functional as f

    plain = (f.relu, f.relu_, torch.relu, torch.relu_, torch.Tensor.relu, torch.Tensor.relu_)
    leaky = (f.leaky_relu, f.leaky_relu_)
    return {**dict.fromkeys(plain, (torch.relu, False)), **dict.fromkeys(leaky, (f.leaky_relu, True))}


def _rule() -> Any:
    import torch

    class Rule(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any, function: Any) -> Any:
            ctx.save_for_backward(x > 0)
            return function(x)

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            (open_,) = ctx.saved_tensors
            return grad.clamp(min=0) * open_, None

    return Rule
