"""How the network of any question is trained: the one place where tasks reach for `fit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from isocenter.data import Cases, Watch
from isocenter.errors import MissingExtraError

if TYPE_CHECKING:
    from isocenter.tasks._network import FittedNetwork

# What one image is: the networks that answer with a class or a number, by name.
NETWORKS = (
    "small", "textbook", "alexnet", "vgg16", "googlenet", "resnet18", "resnet50", "densenet121", "mobilenet_v3_small",
    "efficientnet_lite0",
)  # fmt: skip
N = TypeVar("N", bound="FittedNetwork")


def studied(kind: type[N], recipe: Any, train: Cases, valid: Cases, *, watch: Watch, head: str = "") -> N:
    """The network of a recipe, trained on `train`; `valid` chooses the best weights, and what else is open.

    Parameters
    ----------
    kind
        The class that answers with it; its `TASK` names the question.
    recipe, train, valid, watch, head
        As in `isocenter.fit.fitted`.

    Raises
    ------
    MissingExtraError
        torch is not installed.
    IsocenterError
        As `isocenter.fit.fitted`.
    """
    try:
        from isocenter.fit import fitted
    except ModuleNotFoundError as error:
        raise MissingExtraError("training a network", "train") from error
    return kind(*fitted(recipe, train, valid, task=kind.TASK, watch=watch, head=head))
