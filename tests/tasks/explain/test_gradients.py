"""Gradients of an answer, on networks small enough to know what is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import nn

from isocenter.data import Case, Image, NotEvaluated, Opened, build
from isocenter.errors import InputError, NotFoundError, RecipeError
from isocenter.tasks.explain._integrated import begun
from isocenter.tasks.explain._redrawn import Redrawn
from isocenter.tasks.explain.gradients import KINDS, NOISE, Gradients, smoothed
from isocenter.tasks.segment.histogram import Histogram


@dataclass(frozen=True)
class Net:
    """A network that sees the pixels as they are."""

    module: nn.Module
    classes: tuple[str, ...] = ("normal", "mass")
    layers: tuple[str, ...] = ("0",)

    def opened(self) -> Opened:
        def prepare(case: Case) -> torch.Tensor:
            return torch.from_numpy(case.image().channels_first().astype(np.float32))[None]

        return Opened(self.module.eval(), prepare, lambda array, case: array, self.classes, self.layers)


class Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(2).mean(dim=2)


def convolutional(seed: int = 0, rank: int = 2) -> nn.Module:
    torch.manual_seed(seed)
    conv: Any = nn.Conv2d if rank == 2 else nn.Conv3d
    return nn.Sequential(
        conv(1, 8, 3, padding=1), nn.ReLU(), conv(8, 8, 3, padding=1), nn.ReLU(), Mean(), nn.Linear(8, 2)
    )


def case(shape: tuple[int, ...] = (16, 20), seed: int = 0) -> Case:
    array = np.random.default_rng(seed).normal(0, 1, shape)
    return Case.of(Image.from_array(array, spacing=(2.0,) * len(shape)))


def test_integrated_gradients_of_a_linear_network_are_weight_times_pixel() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    method = Gradients(of=Net(module), kind="integrated-gradients", target="mass", baseline="mean")
    found = method.predict(case((2, 3)))
    weight = module[1].weight[1].detach().numpy().reshape(2, 3)
    assert np.allclose(found.values, weight * case((2, 3)).image().pixels(), atol=1e-6)
    assert found.completeness < 1e-5
    assert (found.target, found.method) == ("mass", "integrated-gradients")


@pytest.mark.parametrize("shape", [(16, 20), (5, 8, 9)])
@pytest.mark.parametrize("baseline", ["mean", "black", "blur"])
def test_integrated_gradients_are_complete(shape: tuple[int, ...], baseline: str) -> None:
    net = Net(convolutional(rank=len(shape)))
    method = Gradients(of=net, kind="integrated-gradients", baseline=baseline, steps=1)
    found = method.predict(case(shape))
    assert found.completeness <= 0.01
    inside = net.opened()
    x = inside.prepare(case(shape))
    start = begun(x, baseline)
    index = inside.classes.index(found.target)
    with torch.no_grad():
        difference = float((inside.module(x) - inside.module(start))[0, index])
    assert found.values.sum() == pytest.approx(difference, rel=0.02)


class Kink(nn.Module):
    """Nothing up to a sum of 5.3, then rising."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        s = x.sum(dim=(1, 2, 3))[:, None]
        return torch.cat([s * 0, torch.relu(s - 5.3)], dim=1)


def test_steps_are_halved_until_the_tolerance_holds() -> None:
    image = Case.of(Image.from_array(np.full((2, 4), 1.0)))
    settings = {"of": Net(Kink()), "kind": "integrated-gradients", "target": "mass", "baseline": "mean", "steps": 2}
    assert Gradients(**settings, tolerance=1.0).predict(image).completeness > 0.05
    assert Gradients(**settings).predict(image).completeness <= 0.01


@pytest.mark.parametrize("baseline", ["mean", "black", "blur"])
def test_networks_that_normalise_inside_are_complete_too(baseline: str) -> None:
    """Near a flat baseline their answer jumps, which steps of one width would never catch."""
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.InstanceNorm2d(8), nn.LeakyReLU(), nn.Conv2d(8, 8, 3), Mean(), nn.Linear(8, 2)
    )
    method = Gradients(of=Net(module), kind="integrated-gradients", baseline=baseline)
    assert method.predict(case()).completeness <= 0.01


def test_gradients_that_are_not_kept_are_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    method = Gradients(of=Net(convolutional()), kind="integrated-gradients")
    kept = method.predict(case())
    monkeypatch.setattr("isocenter.tasks.explain._integrated.KEPT", 10_000)
    assert np.array_equal(method.predict(case()).values, kept.values)


def test_an_answer_that_does_not_change_has_no_completeness() -> None:
    net = Net(nn.Sequential(nn.Flatten(), nn.Linear(6, 2)))
    nn.init.zeros_(net.module[1].weight)
    found = Gradients(of=net, kind="integrated-gradients").predict(case((2, 3)))
    assert found.completeness is None
    assert not found.values.any()


def test_the_gradient_is_that_of_finite_differences() -> None:
    net = Net(convolutional().double())
    inside = net.opened()
    double = Net.opened

    class Double(Net):
        def opened(self) -> Opened:
            base = double(self)
            return Opened(base.module, lambda c: base.prepare(c).double(), base.back, base.classes, base.layers)

    found = Gradients(of=Double(net.module), kind="gradient", target="normal").predict(case())
    x = inside.prepare(case()).double()
    nudge = torch.zeros_like(x)
    nudge[0, 0, 4, 7] = 1e-4
    with torch.no_grad():
        slope = float((inside.module(x + nudge) - inside.module(x - nudge))[0, 0]) / 2e-4
    assert found.values[4, 7] == pytest.approx(slope, rel=1e-3, abs=1e-7)


class Blob(nn.Module):
    """Answers "mass" by the brightness that its one filter sees, halved in resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.see = nn.Conv2d(1, 1, 2, stride=2, bias=False)
        nn.init.constant_(self.see.weight, 0.25)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        s = self.see(x).mean(dim=(2, 3))
        return torch.cat([-s, s], dim=1)


def test_grad_cam_lies_where_the_answer_comes_from() -> None:
    array = np.zeros((20, 30))
    array[4:8, 20:26] = 10.0
    found = Gradients(of=Net(Blob(), layers=("see",))).predict(Case.of(Image.from_array(array)))
    assert found.target == "mass"
    assert found.values.shape == (20, 30)
    assert found.values.min() >= 0
    assert np.unravel_index(found.values.argmax(), found.values.shape)[0] in range(4, 8)
    inside = found.values[4:8, 20:26].sum()
    assert inside > 0.6 * found.values.sum()
    against = Gradients(of=Net(Blob(), layers=("see",)), target="normal").predict(Case.of(Image.from_array(array)))
    assert not against.values.any()


def segmenting(rank: int = 2) -> Net:
    conv: Any = nn.Conv2d if rank == 2 else nn.Conv3d
    module = nn.Sequential(conv(1, 4, 3, padding=1), nn.ReLU(), conv(4, 2, 1))
    nn.init.constant_(module[0].weight, 1.0)
    nn.init.zeros_(module[0].bias)
    nn.init.constant_(module[2].weight[0], 0.0)
    nn.init.constant_(module[2].weight[1], 0.1)
    nn.init.constant_(module[2].bias, 0.0)
    module[2].bias.data[1] = -5.0
    return Net(module, ("background", "organ"), ("0",))


@pytest.mark.parametrize("shape", [(16, 20), (6, 16, 20)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_segmentation_is_explained_over_its_region(shape: tuple[int, ...], kind: str) -> None:
    array = np.zeros(shape)
    array[..., 4:10, 5:12] = 6.0
    net = segmenting(len(shape))
    found = Gradients(of=net, kind=kind).predict(Case.of(Image.from_array(array)))
    assert found.target == "organ"
    assert found.values.shape == shape
    assert found.values[..., 4:10, 5:12].mean() > 5 * abs(found.values[..., 13:, :].mean())
    if kind == "integrated-gradients":
        assert found.completeness <= 0.01


def test_a_region_that_was_not_found_is_not_evaluated() -> None:
    empty = Case.of(Image.from_array(np.zeros((8, 8))))
    assert "no region" in Gradients(of=segmenting()).predict(empty).reason
    assert "no organ" in Gradients(of=segmenting(), target="organ").predict(empty).reason


@pytest.mark.parametrize("kind", ["grad-cam", "integrated-gradients", "gradient"])
def test_maps_change_when_the_weights_are_random(kind: str) -> None:
    """A map that stays the same for another network shows the image, not the network (Adebayo et al., NeurIPS 2018)."""
    maps = [Gradients(of=Net(convolutional(s), layers=("2",)), kind=kind, target="mass").predict(case()).values
            for s in (0, 5)]  # fmt: skip
    scaled = [m / (np.abs(m).max() or 1.0) for m in maps]
    assert structural_similarity(*scaled, data_range=2.0) < 0.5


def studied(labels_seed: int | None) -> nn.Module:
    """A network that has learnt to tell a bright blob from none, or (with a seed) labels dealt at random."""
    torch.manual_seed(0)
    module = convolutional()
    x = torch.randn(48, 1, 16, 16)
    y = torch.arange(48) % 2
    x[y == 1, :, 4:9, 9:14] += 2.0
    if labels_seed is not None:
        y = y[torch.randperm(48, generator=torch.Generator().manual_seed(labels_seed))]
    optimiser = torch.optim.Adam(module.parameters(), 0.02)
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.cross_entropy(module(x), y).backward()
        optimiser.step()
    return module


@pytest.mark.parametrize("kind", ["grad-cam", "integrated-gradients"])
def test_what_was_learnt_shows_and_random_labels_do_not_show_it(kind: str) -> None:
    array = np.random.default_rng(3).normal(0, 1, (16, 16))
    array[4:9, 9:14] += 2.0
    blob = Case.of(Image.from_array(array))
    maps = []
    for seed in (None, 7):
        method = Gradients(of=Net(studied(seed), layers=("2",)), kind=kind, target="mass", baseline="mean")
        found = method.predict(blob).values
        maps.append(found / (np.abs(found).max() or 1.0))
    learnt = np.maximum(maps[0], 0)
    assert learnt[4:9, 9:14].mean() > 3 * learnt.mean()
    assert structural_similarity(*maps, data_range=2.0, win_size=5) < 0.5


def test_the_same_answer_twice_and_no_hook_is_left() -> None:
    net = Net(convolutional(), layers=("2",))
    one, two = (Gradients(of=net).predict(case()) for _ in range(2))
    assert np.array_equal(one.values, two.values)
    assert not net.module[2]._forward_hooks
    assert one.geometry.spacing == (2.0, 2.0)


def test_unknown_names_are_refused_with_the_nearest() -> None:
    net = Net(convolutional(), layers=("0", "2"))
    with pytest.raises(NotFoundError, match="Did you mean mass"):
        Gradients(of=net, target="mas").predict(case())
    with pytest.raises(NotFoundError, match="Known: 0, 2"):
        Gradients(of=net, layer="seventh").predict(case())
    with pytest.raises(NotFoundError, match="no grid"):
        Gradients(of=net, layer="5").predict(case())
    with pytest.raises(RecipeError, match="grad-cam"):
        build(Gradients, {"of": net, "kind": "grad-cm"})


def test_only_networks_have_gradients() -> None:
    with pytest.raises(RecipeError, match="occlusion"):
        Gradients(of=Histogram())
    with pytest.raises(RecipeError, match="of="):
        Gradients()


def test_films_and_broken_pixels() -> None:
    film = Case.of(Image.from_array(np.zeros((2, 4, 4)), axes="tyx"))
    with pytest.raises(InputError, match="frame"):
        Gradients(of=Net(convolutional())).predict(film)
    broken = Case.of(Image.from_array(np.full((8, 8), np.nan)))
    assert isinstance(Gradients(of=Net(convolutional())).predict(broken), NotEvaluated)


@pytest.mark.parametrize("kind", KINDS)
def test_colour_gives_one_map(kind: str) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), Mean(), nn.Linear(4, 2))
    array = np.random.default_rng(0).random((3, 10, 12))
    found = Gradients(of=Net(module), kind=kind).predict(Case.of(Image.from_array(array, axes="cyx")))
    assert found.values.shape == (10, 12)
    assert found.values.dtype == np.float32


def test_without_a_target_the_networks_own_answer_is_explained() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    for wanted, bias in (("normal", (9.0, 0.0)), ("mass", (0.0, 9.0))):
        module[1].bias.data = torch.tensor(bias)
        assert Gradients(of=Net(module), kind="gradient").predict(case((2, 3))).target == wanted


def test_the_mean_gradient_of_noisy_copies() -> None:
    """Of a linear network it is the gradient itself; of another it is less torn than the gradient of one image."""
    linear = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    found = Gradients(of=Net(linear), kind="smoothgrad", target="mass", steps=3).predict(case((2, 3)))
    assert np.allclose(found.values, linear[1].weight[1].detach().numpy().reshape(2, 3), atol=1e-6)
    module, x = convolutional(), torch.from_numpy(case().image().channels_first().astype(np.float32))[None]
    drawn = torch.Generator().manual_seed(0)
    noisy = x + NOISE * (x.max() - x.min()) * torch.randn(x.shape, generator=drawn)
    at = noisy.clone().requires_grad_(True)
    module(at)[0, 1].backward()
    assert np.allclose(smoothed(module, x, lambda z: z[0, 1], copies=1), at.grad[0, 0].numpy(), atol=1e-6)


def test_the_same_explanation_of_a_network_that_has_learnt_nothing() -> None:
    method = Gradients(of=Net(studied(None), layers=("2",)), baseline="mean")
    other = method.redrawn("mass")
    assert isinstance(other.of, Redrawn) and other.target == "mass" and other.kind == method.kind
    assert not np.allclose(other.predict(case()).values, method.predict(case()).values)
