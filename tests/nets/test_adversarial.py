"""Changes within a ball: what they reach, and agreement with another program's on the same networks."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from isocenter.nets.adversarial import Aim, Ball, Found, Walk, fgsm, lengths, margins_at, pgd

EPSILONS = {"linf": (0.02, 0.05, 0.1), "l2": (0.3, 0.8, 1.5)}


@cache
def blobs(n: int = 300) -> tuple[Tensor, Tensor]:
    """Pictures in 0..1 with a faint bright patch in one of three places."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(0.5, 0.15, (n, 1, 12, 12)), np.arange(n) % 3
    for i, k in enumerate(y):
        x[i, 0, 4 * k : 4 * k + 4, 3:9] += 0.16
    return torch.from_numpy(x.clip(0, 1).astype(np.float32)), torch.from_numpy(y)


@cache
def network() -> nn.Module:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 3, stride=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(150, 3),
    )
    x, y = blobs()
    optimiser = torch.optim.Adam(module.parameters(), 0.01)
    for _ in range(40):
        optimiser.zero_grad()
        nn.functional.cross_entropy(module(x), y).backward()
        optimiser.step()
    return module.eval()


def robust(found: Found) -> float:
    return float((found.margins > 0).float().mean())


def peer() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("foolbox", reason="pip install foolbox")


def theirs(attack: Any, epsilon: float) -> float:
    x, y = blobs()
    model = peer().PyTorchModel(network(), bounds=(0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, _, success = attack(model, x, y, epsilons=epsilon)
    return 1 - float(success.float().mean())


@pytest.mark.parametrize("epsilon", EPSILONS["linf"])
def test_one_step_agrees_with_foolbox(epsilon: float) -> None:
    x, y = blobs()
    ours = robust(fgsm(network(), x, Aim(y), ball=Ball("linf", epsilon)))
    assert ours == pytest.approx(theirs(peer().attacks.FGSM(), epsilon), abs=0.01)


@pytest.mark.parametrize(("norm", "epsilon"), [(n, e) for n, each in EPSILONS.items() for e in each])
def test_many_steps_agree_with_foolbox(norm: str, epsilon: float) -> None:
    x, y = blobs()
    kind = peer().attacks.LinfPGD if norm == "linf" else peer().attacks.L2PGD
    torch.manual_seed(0)
    other = theirs(kind(rel_stepsize=0.1, steps=40), epsilon)
    ours = pgd(network(), x, Aim(y), ball=Ball(norm, epsilon), walk=Walk(40, 0.1))
    assert robust(ours) == pytest.approx(other, abs=0.01)
    assert 0 < other < 1 or epsilon == EPSILONS[norm][2]


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("epsilon", [0.0, 0.03, 0.4])
def test_changes_stay_in_the_ball_and_in_the_range(norm: str, epsilon: float) -> None:
    x, y = blobs(30)
    ball = Ball(norm, epsilon)
    for found in (fgsm(network(), x, Aim(y), ball=ball), pgd(network(), x, Aim(y), ball=ball, walk=Walk(5))):
        away = found.x - x
        size = away.abs().max() if norm == "linf" else lengths(away).max()
        assert float(size) <= epsilon * 1.0001 + 1e-7
        assert found.x.min() >= 0 and found.x.max() <= 1
        if epsilon == 0:
            assert torch.equal(found.x, x)


def test_nothing_allowed_changes_nothing_and_everything_allowed_breaks_all() -> None:
    x, y = blobs()
    right = float((network()(x).argmax(1) == y).float().mean())
    assert robust(pgd(network(), x, Aim(y), ball=Ball("linf", 0.0), walk=Walk(2))) == pytest.approx(right)
    assert robust(pgd(network(), x, Aim(y), ball=Ball("linf", 0.5), walk=Walk(10))) == 0


def test_more_steps_restarts_and_room_are_never_weaker() -> None:
    x, y = blobs()
    ball = Ball("linf", 0.04)
    few, many = (robust(pgd(network(), x, Aim(y), ball=ball, walk=Walk(n))) for n in (2, 30))
    again = robust(pgd(network(), x, Aim(y), ball=ball, walk=Walk(30, restarts=3)))
    wider = robust(pgd(network(), x, Aim(y), ball=Ball("linf", 0.06), walk=Walk(30)))
    one = robust(fgsm(network(), x, Aim(y), ball=ball))
    assert again <= many <= few and wider <= many <= one


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_starts_are_drawn_from_the_whole_ball_and_from_the_seed(norm: str) -> None:
    x = torch.full((2000, 1, 3, 1), 0.5)
    ball = Ball(norm, 0.2)
    a, b = (ball.drawn(x, torch.Generator().manual_seed(s)) - x for s in (0, 0))
    assert torch.equal(a, b)
    sizes = a.abs().flatten() if norm == "linf" else lengths(a)
    # Evenly: half of a segment lies within half its length, of a ball of 3 dimensions an eighth.
    assert float((sizes < 0.1).float().mean()) == pytest.approx(0.5 if norm == "linf" else 0.125, abs=0.03)
    assert sizes.max() <= 0.2001


def test_dlr_does_not_care_for_the_scale_of_the_logits_and_cross_entropy_does() -> None:
    x, y = blobs(60)
    steep = lambda u: 1e4 * network()(u)  # noqa: E731
    ball, walk = Ball("l2", 0.8), Walk(20)
    plain = robust(pgd(network(), x, Aim(y, "dlr"), ball=ball, walk=walk))
    assert robust(pgd(steep, x, Aim(y, "dlr"), ball=ball, walk=walk)) == pytest.approx(plain, abs=0.02)
    assert robust(pgd(steep, x, Aim(y), ball=ball, walk=walk)) > plain


def test_losses_and_margins_of_known_scores() -> None:
    scores = torch.tensor([[4.0, 1.0, 0.0], [1.0, 3.0, 2.0]])
    y = torch.tensor([0, 2])
    assert Aim(y).margins(scores).tolist() == [3.0, -1.0]
    assert Aim(y, "dlr").losses(scores).tolist() == pytest.approx([-3 / 4, 1 / 2])
    assert Aim(torch.tensor([0]), "dlr").losses(torch.tensor([[2.0, 5.0]])).tolist() == [3.0]
    several = Aim(torch.tensor([[1.0, 0.0, 1.0]]))
    assert several.margins(torch.tensor([[2.0, -1.0, 0.5]])).tolist() == [0.5]
    assert several.margins(torch.tensor([[2.0, 1.0, 0.5]])).tolist() == [-1.0]
    wanted = nn.functional.binary_cross_entropy_with_logits(torch.tensor([2.0, 1.0, 0.5]), torch.tensor([1.0, 0, 1]))
    assert float(several.losses(torch.tensor([[2.0, 1.0, 0.5]]))) == pytest.approx(float(wanted))


def test_pixels_that_count_for_nothing_are_left_out() -> None:
    truth = torch.tensor([[[1, 1, 0, 255]]])
    scores = torch.zeros(1, 2, 1, 4)
    scores[0, 1] = torch.tensor([[3.0, -3.0, -3.0, 3.0]])
    aim = Aim(truth)
    assert float(aim.margins(scores)) == pytest.approx(2 / 3 - 0.01)
    each = nn.functional.cross_entropy(scores[..., :3], truth[..., :3])
    assert float(aim.losses(scores)) == pytest.approx(float(each))
    assert torch.isfinite(Aim(truth, "dlr").losses(scores)).all()


@pytest.mark.parametrize("shape", [(16, 16), (6, 10, 10)])
def test_a_segmentation_is_lost_step_by_step(shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    x, truth = torch.full((1, 1, *shape), 0.3), torch.zeros((1, *shape), dtype=torch.int64)
    x[..., 3:8, 3:8], truth[..., 3:8, 3:8] = 0.6, 1
    conv: Any = nn.Conv2d if len(shape) == 2 else nn.Conv3d
    module = conv(1, 2, 1)
    module.weight.data[:] = torch.tensor([-10.0, 10.0]).reshape(module.weight.shape)
    module.bias.data = torch.tensor([4.5, -4.5])
    assert float(margins_at(module, x, Aim(truth))) == pytest.approx(0.99)
    assert float(pgd(module, x, Aim(truth), ball=Ball("linf", 0.1)).margins) == pytest.approx(0.99)
    assert float(pgd(module, x, Aim(truth), ball=Ball("linf", 0.2)).margins) < 0


def test_a_walk_goes_on_until_rounding_keeps_what_it_found() -> None:
    """The boundary lies between two grey levels: what crosses it by less than half a level is not lost."""
    x, y = torch.full((1, 1, 1, 1), 0.5), torch.tensor([0])

    def answers(u: Tensor) -> Tensor:
        s = (u.flatten(1) - 0.58) * 20
        return torch.cat([-s, s], dim=1)

    coarse = lambda u: (u * 10).floor() / 10  # noqa: E731
    walk = Walk(20, 0.1, random=False)
    early = pgd(answers, x, Aim(y), ball=Ball("linf", 0.2), walk=walk)
    late = pgd(answers, x, Aim(y), ball=Ball("linf", 0.2), walk=walk, stored=coarse)
    assert margins_at(answers, early.x, Aim(y)) < 0 < margins_at(answers, coarse(early.x), Aim(y))
    assert margins_at(answers, coarse(late.x), Aim(y)) < 0
    assert len(late.trace) > len(early.trace)


def test_the_trace_tells_whether_the_loss_rose_and_whether_there_was_a_gradient() -> None:
    x, y = blobs(30)
    found = pgd(network(), x, Aim(y), ball=Ball("linf", 0.02), walk=Walk(10, random=False))
    assert found.trace[-1] > found.trace[0] and found.slope is not None and found.slope.min() > 0
    stairs = lambda u: network()((u * 4).round() / 4)  # noqa: E731
    assert pgd(stairs, x, Aim(y), ball=Ball("linf", 0.02), walk=Walk(3)).slope.max() == 0
