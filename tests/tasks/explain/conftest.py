"""Networks small enough to know what is right, and pictures for them."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.data import Case, Image, Opened, Probabilities


@dataclass(frozen=True)
class Net:
    """A network that sees the pixels as they are; it also answers."""

    module: nn.Module
    classes: tuple[str, ...] = ("normal", "mass")
    layers: tuple[str, ...] = ("2",)

    def opened(self) -> Opened:
        return Opened(self.module.eval(), prepared, lambda array, case: array, self.classes, self.layers)

    def predict(self, case: Case) -> Probabilities:
        with torch.no_grad():
            p = torch.softmax(self.module(prepared(case)).double(), dim=1)[0]
        return Probabilities(self.classes, tuple(map(float, p)))


def prepared(case: Case) -> torch.Tensor:
    return torch.from_numpy(case.image().channels_first().astype(np.float32))[None]


class Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(2).mean(dim=2)


def convolutional(seed: int = 0, rank: int = 2, act: Any = nn.ReLU, channels: int = 1) -> nn.Module:
    torch.manual_seed(seed)
    conv: Any = nn.Conv2d if rank == 2 else nn.Conv3d
    return nn.Sequential(
        conv(channels, 8, 3, padding=1), act(), conv(8, 8, 3, padding=1, stride=2), act(), Mean(), nn.Linear(8, 2)
    )


def case(shape: tuple[int, ...] = (16, 20), seed: int = 0) -> Case:
    array = np.random.default_rng(seed).random(shape).astype(np.float32)
    array.flat[3] = 0.0
    return Case.of(Image.from_array(array, spacing=(2.0,) * len(shape)))


@pytest.fixture(scope="session")
def kit() -> Any:
    return SimpleNamespace(Net=Net, Mean=Mean, convolutional=convolutional, case=case, prepared=prepared)


@pytest.fixture(scope="session")
def captum() -> Any:
    """The attribution methods of Captum (BSD-3-Clause), an independent implementation."""
    return pytest.importorskip("captum.attr", reason="pip install captum")
