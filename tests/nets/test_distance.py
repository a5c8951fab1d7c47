"""Distances to edges against counting by hand, and a second head that learns them."""

from __future__ import annotations

import pytest
import torch
from scipy import ndimage

from isocenter.nets.distance import IGNORED, REACH, MultiTask, distance_error, distances, truncated
from isocenter.nets.losses import segmentation_loss
from isocenter.nets.unet import UNet


def edge(rank: int = 2, side: int = 16) -> torch.Tensor:
    """One sample, the half of higher indices along the last axis is class 1."""
    target = torch.zeros(1, *(side,) * rank, dtype=torch.long)
    target[..., side // 2 :] = 1
    return target


def test_distances_are_signed_and_zero_where_there_is_no_edge() -> None:
    target = torch.zeros(2, 10, 20, dtype=torch.long)
    target[0, :, 8:] = 1
    found = distances(target, 3)
    assert found.shape == (2, 2, 10, 20)
    assert found[0, 0, 4, 6:10].tolist() == pytest.approx([1.5 / 20, 0.5 / 20, -0.5 / 20, -1.5 / 20])
    assert float(found[0, 1].abs().max()) == 0.0
    assert float(found[1].abs().max()) == 0.0


@pytest.mark.parametrize("rank", [2, 3])
def test_far_from_the_edge_nothing_changes_any_more(rank: int) -> None:
    found = truncated(edge(rank), 2)
    assert found.shape == (1, 1, *(16,) * rank)
    line = found.reshape(-1, 16)[0].tolist()
    # An eighth of 16 is two pixels: half a pixel is a quarter of it.
    assert REACH * 16 == 2
    assert line == pytest.approx([1.0] * 6 + [0.75, 0.25, -0.25, -0.75] + [-1.0] * 6)


def test_a_class_that_is_nowhere_is_far_and_one_that_is_everywhere_is_deep() -> None:
    assert torch.equal(truncated(torch.ones(1, 4, 4, dtype=torch.long), 3)[0, :, 0, 0], torch.tensor([-1.0, 1.0]))


def test_the_error_is_the_mean_square_over_what_takes_part() -> None:
    target = edge()
    right = truncated(target, 2)
    assert float(distance_error(right, target)) == 0.0
    assert float(distance_error(right + 0.5, target)) == pytest.approx(0.25)
    wrong = right.clone()
    wrong[..., :4, :] += 100
    target[:, :4] = IGNORED
    # Beside what is left out the edge looks the same from the rest of the picture.
    assert float(distance_error(wrong, target)) < 0.2
    assert float(distance_error(right, torch.full_like(target, IGNORED))) == 0.0


def net(rank: int = 2, *, distance: bool) -> UNet:
    torch.manual_seed(0)
    return UNet(rank, 1, 2, widths=[4, 8, 8], strides=[[2] * rank] * 2, deep=1, distance=distance).train()


def discs(rank: int, n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    grid = torch.stack(torch.meshgrid(*[torch.arange(16.0)] * rank, indexing="ij"))
    middle = 5 + 6 * torch.rand(n, rank, generator=rng)
    inside = ((grid[None] - middle.reshape(n, rank, *(1,) * rank)) ** 2).sum(1) < 16
    noise = 0.3 * torch.randn(n, *inside.shape[1:], generator=rng)
    return (inside + noise)[:, None], inside.long()


@pytest.mark.parametrize("rank", [2, 3])
def test_the_second_head_serves_training_alone(rank: int) -> None:
    images, _ = discs(rank, 2, 0)
    both, plain = net(rank, distance=True), net(rank, distance=False)
    made = both(images)
    assert isinstance(made, MultiTask)
    assert [h.shape[1] for h in made.heads] == [2, 2]
    assert made.distance.shape == (2, 1, *(16,) * rank)
    # The rest of the network starts and answers as without it.
    assert set(both.state_dict()) - set(plain.state_dict()) == {"aux.1.weight", "aux.1.bias"}
    plain.load_state_dict({k: v for k, v in both.state_dict().items() if k in plain.state_dict()})
    assert torch.equal(both.eval()(images), plain.eval()(images))


@pytest.mark.parametrize("rank", [2, 3])
def test_the_second_task_changes_the_gradients_of_what_both_share(rank: int) -> None:
    images, labels = discs(rank, 2, 1)
    module, loss = net(rank, distance=True), segmentation_loss("dice+cross_entropy")
    made = module(images)
    alone = torch.autograd.grad(loss(made.heads, labels), module.down[0].parameters(), retain_graph=True)
    together = torch.autograd.grad(loss(made, labels), module.down[0].parameters(), retain_graph=True)
    second = torch.autograd.grad(distance_error(made.distance, labels), module.down[0].parameters())
    for a, b, c in zip(alone, together, second, strict=True):
        assert torch.allclose(a + c, b, atol=1e-5)
    assert max(float((a - b).abs().max()) for a, b in zip(alone, together, strict=True)) > 1e-3


def test_both_tasks_get_better_together() -> None:
    module, loss = net(distance=True), segmentation_loss("dice+cross_entropy")
    optimiser = torch.optim.AdamW(module.parameters(), lr=0.02)
    kept: list[tuple[float, float]] = []
    for step in range(40):
        images, labels = discs(2, 4, step)
        made = module(images)
        tasks = loss(made.heads, labels), distance_error(made.distance, labels)
        kept.append((float(tasks[0].detach()), float(tasks[1].detach())))
        optimiser.zero_grad()
        loss(made, labels).backward()
        optimiser.step()
    first, last = (torch.tensor(kept[k]).mean(0) for k in (slice(0, 5), slice(-5, None)))
    assert float(last[0]) < 0.5 * float(first[0])
    assert float(last[1]) < 0.5 * float(first[1])


def test_the_distance_is_that_of_the_nearest_pixel_of_the_other_side() -> None:
    _, labels = discs(2, 1, 3)
    inside = labels[0].numpy() == 1
    outside = torch.from_numpy(ndimage.distance_transform_edt(~inside))[~labels[0].bool()]
    assert torch.allclose(distances(labels, 2)[0, 0][~labels[0].bool()] * 16, outside.float() - 0.5, atol=1e-5)
