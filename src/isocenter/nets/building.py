"""Networks by their JSON description."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from isocenter.errors import BundleError, NotFoundError, RecipeError, nearest
from isocenter.nets.alexnet import AlexNet
from isocenter.nets.autoencoder import Autoencoder
from isocenter.nets.deeplab import DeepLab
from isocenter.nets.densenet import DenseNet121
from isocenter.nets.efficientnet_lite import EfficientNetLite0
from isocenter.nets.fcn import FCN
from isocenter.nets.googlenet import INCEPTION, GoogLeNet
from isocenter.nets.mobilenet import MobileNetV3Small
from isocenter.nets.rcnn import RCNN
from isocenter.nets.recurrent import Recurrent
from isocenter.nets.resnet import ResNet18, ResNet50
from isocenter.nets.retinanet import RetinaNet
from isocenter.nets.small import Small
from isocenter.nets.ssd import SSD
from isocenter.nets.textbook import Textbook
from isocenter.nets.unet import UNet
from isocenter.nets.velocity import Velocity
from isocenter.nets.vgg import VGG16, VGGDecoder
from isocenter.nets.yolo import Points, Version3

NETWORKS: dict[str, type[nn.Module]] = {
    "unet": UNet,
    "fcn": FCN,
    "vgg_decoder": VGGDecoder,
    "deeplab": DeepLab,
    "small": Small,
    "autoencoder": Autoencoder,
    "textbook": Textbook,
    "alexnet": AlexNet,
    "vgg16": VGG16,
    "googlenet": GoogLeNet,
    "resnet18": ResNet18,
    "resnet50": ResNet50,
    "densenet121": DenseNet121,
    "mobilenet_v3_small": MobileNetV3Small,
    "efficientnet_lite0": EfficientNetLite0,
    "yolo": Points,
    "yolov3": Version3,
    "retinanet": RetinaNet,
    "ssd": SSD,
    "rcnn": RCNN,
    "recurrent": Recurrent,
    "velocity": Velocity,
}
# Modules whose output Grad-CAM may use, of the networks that answer about an image whole.
LAYERS = {
    "alexnet": ("features.4", "features.7", "features.11"),
    "vgg16": ("features.8", "features.15", "features.22", "features.29"),
    "googlenet": tuple(f"inception{name}" for name in INCEPTION),
    "resnet18": tuple(f"layer{i}" for i in range(1, 5)),
    "resnet50": tuple(f"layer{i}" for i in range(1, 5)),
    "densenet121": ("features.denseblock1", "features.denseblock2", "features.denseblock3", "features.norm5"),
    "mobilenet_v3_small": ("features.3", "features.8", "features.11", "features.12"),
    "efficientnet_lite0": ("_blocks.2", "_blocks.4", "_blocks.10", "_blocks.15"),
}
# Parameters that serve training alone: heads half way.
AUXILIARY = ("aux.", "aux1.", "aux2.")
# Fields of a description that are not arguments of the network's class.
OUTSIDE = ("name", "seed", "rank", "channels", "outputs")


def build(spec: Mapping[str, Any], weights: Mapping[str, Any] | None = None) -> nn.Module:
    """The network of a description, in eval mode, answering logits only.

    Parameters
    ----------
    spec
        ``{"name": one of NETWORKS or "module:Class", "rank": 2 | 3, "channels": int, "outputs": int, "seed": int,
        ...}``; further fields are the arguments of the network. A class of somebody else's is called as
        ``Class(channels, outputs)``.
    weights
        Parameter name to array; without, weights are drawn from ``seed`` alone (torch's random state is untouched).

    Raises
    ------
    RecipeError
        An unknown network or argument.
    NotFoundError
        ``module:Class`` cannot be imported.
    BundleError
        The weights do not fit the network, or its code was handed over as an object and is not here.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(spec.get("seed", 0)))
        module = _made(spec)
    if weights is not None:
        state = {name: torch.from_numpy(_own(array)) for name, array in weights.items()}
        try:
            module.load_state_dict(state, strict=True)
        except RuntimeError as error:
            raise BundleError("the weights do not fit the network", where=str(spec["name"]), got=str(error)) from error
    return module.eval()


def answering(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The description without what serves training alone: heads half way, of deep supervision and of distances."""
    return {k: v for k, v in spec.items() if k not in ("aux", "deep", "distance")}


def lasting(parameter: str) -> bool:
    """Whether a parameter of this name also serves the answer, and not training alone."""
    return not parameter.startswith(AUXILIARY)


def last(spec: Mapping[str, Any]) -> str:
    """The linear layer whose outputs are the classes; "" for networks of others and those that answer per pixel."""
    return str(getattr(NETWORKS.get(str(spec["name"])), "LAST", ""))


def layers(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of modules whose output Grad-CAM may use, the usual choice last.

    segment: the encoder's deepest block, then the decoder's last block. classify: the stages, the last one last.
    """
    name = spec["name"]
    if name == "unet":
        stages = len(spec["widths"])
        return (f"down.{stages - 1}", f"join.{stages - 2}")
    if name in ("small", "autoencoder", "recurrent"):
        return tuple(f"stages.{i}" for i in range(int(spec["sizes"][1] if "sizes" in spec else spec.get("depth", 4))))
    if name == "textbook":
        return tuple(f"features.{3 * i + 1}" for i in range(int(spec.get("depth", 3))))
    if name in LAYERS:
        return LAYERS[name]
    if name == "fcn":
        last = 3 if spec.get("encoder") == "resnet18" else len(spec["strides"])
        return (f"encoder.stages.{last - 1}", f"encoder.stages.{last}")
    if name == "vgg_decoder":
        return ("features.29", "join.3")
    if name == "deeplab":
        return ("encoder.stages.3", "pyramid.out", "join")
    module = build(spec)
    found = [n for n, m in module.named_modules() if isinstance(m, (nn.Conv2d, nn.Conv3d))]
    return tuple(found[-3:])


def _made(spec: Mapping[str, Any]) -> nn.Module:
    name = str(spec["name"])
    if name == "given":
        raise BundleError(
            "the network's code was handed over as an object and is not in the bundle",
            got=str(spec.get("class", "")),
            remedy="It predicts through its export; for gradients pass network='module:Class' at training",
        )
    if ":" in name:
        try:
            made = _loaded(name)(int(spec["channels"]), int(spec["outputs"]))
        except TypeError as error:
            raise RecipeError(f"{name} is not called as Class(channels, outputs)", got=str(error)) from error
        if not isinstance(made, nn.Module):
            raise RecipeError(f"{name} makes no torch module", got=type(made).__name__)
        return made
    if name not in NETWORKS:
        raise RecipeError(f"no network {name!r}", remedy=nearest(name, NETWORKS))
    options = {k: v for k, v in spec.items() if k not in OUTSIDE}
    try:
        return NETWORKS[name](int(spec["rank"]), int(spec["channels"]), int(spec["outputs"]), **options)
    except TypeError as error:
        raise RecipeError(f"the network {name} has no such argument", got=str(error)) from error


def _loaded(name: str) -> Any:
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise NotFoundError(f"cannot load {name!r}", got=str(error), wanted="module:Class") from error


def _own(array: Any) -> Any:
    import numpy as np

    # A copy that torch may write to: arrays from a file map are read-only.
    return np.array(array, copy=True, order="C")
