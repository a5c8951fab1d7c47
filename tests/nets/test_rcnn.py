from __future__ import annotations

import numpy as np
import pytest
import torch

from isocenter.errors import RecipeError
from isocenter.nets import build
from isocenter.nets.rcnn import RCNN, Learnt, cut, learning
from isocenter.ops.proposals import grid, moved, steps
from isocenter.ops.roi import pasted

ANCHORS = [[[12, 12], [16, 20]], [[32, 32], [40, 30]]]


def network(*, classes=1, limits=(0.5,), seed=0):
    spec = {"name": "rcnn", "rank": 2, "channels": 1, "outputs": classes, "seed": seed, "anchors": ANCHORS,
            "width": 8, "features": 16, "limits": list(limits)}  # fmt: skip
    return build(spec)


def squares(n, *, count=4, size=64, classes=1, seed=0):
    """Images of bright squares, their boxes and numbers."""
    rng = np.random.default_rng(seed)
    images = rng.normal(0, 0.1, (n, 1, size, size)).astype(np.float32)
    boxes, numbers = np.full((n, count, 5), -1, np.float32), np.zeros((n, size, size), np.int32)
    for i in range(n):
        for k in range(count):
            side, corner = rng.integers(10, 18), np.asarray(divmod(k, 2)) * 32 + rng.integers(0, 12, 2)
            place = tuple(slice(c, c + side) for c in corner)
            kind = k % classes
            images[(i, 0, *place)] += 1 + kind
            numbers[(i, *place)] = k + 1
            boxes[i, k] = [*(corner - 0.5), *(corner + side - 0.5), kind]
    return torch.from_numpy(images), (torch.from_numpy(boxes), torch.from_numpy(numbers))


def test_what_it_says_without_targets():
    net = network()
    with torch.no_grad():
        out = net(torch.zeros(2, 1, 64, 96))
    assert out.shape == (2, 16 + 5 * 2, 16 * 24 + 8 * 12, 1)
    # The same features and anchors, whatever image they come with.
    with torch.no_grad():
        alone = net(torch.zeros(1, 1, 64, 96))
    assert torch.allclose(out[:1], alone, atol=1e-5)


def test_places_run_through_the_levels_row_by_row():
    net = network()
    x = torch.randn(1, 1, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        out = net(x)[0, :, :, 0]
        maps = net.pyramid(net.trunk(x))
    assert torch.equal(out[:16, 0 : 16 * 24].reshape(16, 16, 24), maps[0][0])
    assert torch.equal(out[:16, 16 * 24 :].reshape(16, 8, 12), maps[1][0])
    with torch.no_grad():
        asked = net.places(torch.relu(net.look(maps[1])))[0]
    assert torch.equal(out[16:, 16 * 24 :].reshape(10, 8, 12), asked)


def test_the_answer_and_the_truth_of_every_term():
    net, (images, targets) = network(classes=2, limits=(0.5, 0.6)), squares(2, classes=2)
    torch.manual_seed(0)
    out = net.train()(images, targets)
    assert set(out.pairs) == {"objectness", "step", "class0", "box0", "class1", "box1", "mask"}
    answer, truth = out.pairs["objectness"]
    assert answer.shape == truth.shape and len(truth) <= 2 * 256 and set(truth.tolist()) == {0.0, 1.0}
    assert out.pairs["step"][0].shape == (int(truth.sum()), 4) == out.pairs["step"][1].shape
    for i in range(2):
        logits, labels = out.pairs[f"class{i}"]
        assert logits.shape == (len(labels), 3) and set(labels.tolist()) == {0, 1, 2}
        assert out.pairs[f"box{i}"][0].shape == (int((labels > 0).sum()), 4)
    masks, shares = out.pairs["mask"]
    assert masks.shape == shares.shape and masks.shape[1:] == (28, 28)
    assert float(shares.min()) == 0 and float(shares.max()) == 1
    assert out.weights["class0"] > out.weights["class1"]


def test_the_truth_itself_is_among_the_regions():
    net, (images, targets) = network(), squares(1)
    torch.manual_seed(0)
    out = net.train()(images, targets)
    # A region that is the truth's box needs no step; there is one an object.
    assert int((out.pairs["box0"][1].abs().amax(1) < 1e-4).sum()) >= 4


def test_masks_come_in_few_different_counts(monkeypatch):
    net, seen = network(), []
    real = net.mask.forward
    monkeypatch.setattr(net.mask, "forward", lambda crops: seen.append(len(crops)) or real(crops))
    for seed, count in enumerate((1, 2, 3, 4)):
        images, targets = squares(2, count=count, seed=seed)
        answer, truth = net(images, targets).pairs["mask"]
        assert answer.shape == truth.shape and 2 * count <= len(truth) <= seen[-1]
    assert {n % 32 for n in seen} == {0}


def test_it_learns_to_find_class_and_outline():
    net = network(classes=2).train()
    optimiser = torch.optim.Adam(net.parameters(), 2e-3)
    values = []
    for i in range(30):
        images, targets = squares(2, classes=2, seed=i)
        torch.manual_seed(i)
        value = learning(net(images, targets))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        values.append(value.item())
    assert np.mean(values[-5:]) < 0.75 * np.mean(values[:3])


def test_every_weight_that_anchors_reach_learns():
    net, (images, targets) = network(limits=(0.5, 0.6, 0.7)).train(), squares(1)
    torch.manual_seed(0)
    learning(net(images, targets)).backward()
    still = {name for name, p in net.named_parameters() if p.grad is None}
    # The two coarsest levels have no anchors; they serve the finer ones through `side`.
    assert still and all(name.startswith(("pyramid.smooth.2", "pyramid.smooth.3")) for name in still)


def test_same_seed_same_loss_and_the_seed_is_torchs():
    net, (images, targets) = network().train(), squares(2)
    found = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        found.append(learning(net(images, targets)).item())
    assert found[0] == found[1] != found[2]


def test_an_image_without_objects_teaches_what_is_none():
    net = network(limits=(0.5, 0.6)).train()
    boxes, numbers = torch.full((2, 0, 5), -1.0), torch.zeros(2, 64, 64, dtype=torch.int32)
    torch.manual_seed(0)
    out = net(torch.randn(2, 1, 64, 64), (boxes, numbers))
    assert len(out.pairs["mask"][0]) == 0 and float(out.pairs["objectness"][1].sum()) == 0
    value = learning(out)
    value.backward()
    assert torch.isfinite(value) and value.item() > 0


def test_the_loss_by_hand():
    pairs = {
        "objectness": (torch.tensor([0.0, 0.0]), torch.tensor([1.0, 0.0])),
        "step": (torch.tensor([[1.0, 0.0, 0.0, 0.0]]), torch.zeros(1, 4)),
        "class0": (torch.zeros(4, 2), torch.tensor([0, 1, 0, 0])),
        "box0": (torch.zeros(1, 4), torch.tensor([[0.0, 0.0, 0.0, 2.0]])),
        "mask": (torch.zeros(1, 2, 2), torch.ones(1, 2, 2)),
    }
    half = 0.5 / 9
    wanted = np.log(2) + (1 - half) / 2 + 3 * np.log(2) + 3 * (2 - half) / 4 + np.log(2)
    assert learning(Learnt(pairs, {"class0": 3.0, "box0": 3.0})).item() == pytest.approx(wanted, rel=1e-5)


def test_the_target_of_a_mask_is_its_object_in_the_box(rng):
    y, x = np.mgrid[:50, :60]
    numbers = np.where((y - 20) ** 2 + (x - 30) ** 2 <= 100, 2, 0).astype(np.int32)
    numbers[40:44, 5:9] = 1
    edges = np.array([[[7.5, 17.5], [32.5, 42.5]], [[39.5, 4.5], [43.5, 8.5]], [[-9.5, -9.5], [3.5, 3.5]]])
    masks = cut(numbers, edges, np.array([2, 1, 2]), size=28)
    assert masks.shape == (3, 28, 28) and masks[1].all() and not masks[2].any()
    [start], [back] = pasted(masks[:1], edges[:1], numbers.shape)
    place = tuple(slice(s, s + n) for s, n in zip(start, back.shape, strict=True))
    disc = numbers[place] == 2
    assert np.count_nonzero(back & disc) / np.count_nonzero(back | disc) > 0.9
    assert not cut(numbers, edges[:1], np.array([1]), size=28).any()


def test_heads_are_fed_with_the_boxes_of_the_head_before():
    net, (images, targets) = network(limits=(0.5, 0.6)).train(), squares(1)
    with torch.no_grad():
        net.heads[0].out.bias[-4:] = torch.tensor([0.5, -0.5, 0.0, 0.0])
        net.heads[0].out.weight.zero_()
    torch.manual_seed(0)
    first = net(images, targets).pairs
    # The second head sees boxes that were shifted by 0.05 of their size: that is what it must undo.
    undo = steps(moved(b := np.array([[[0.0, 0.0], [10.0, 10.0]]]), np.zeros((1, 2, 2))), moved(b, np.array(
        [[[0.5, -0.5], [0.0, 0.0]]]), (0.1, 0.2)), (0.05, 0.1)).reshape(4)  # fmt: skip
    wanted = first["box1"][1].numpy()
    assert (np.abs(wanted - undo).max(1) < 1e-4).any()


@pytest.mark.parametrize(
    ("rank", "anchors", "limits"),
    [(3, ANCHORS, (0.5,)), (2, [], (0.5,)), (2, [[[1, 1]], [[1, 1], [2, 2]]], (0.5,)), (2, ANCHORS, ()),
     (2, ANCHORS, (0.5, 0.6, 0.7, 0.8))],
)  # fmt: skip
def test_shapes_that_cannot_be_are_refused(rank, anchors, limits):
    with pytest.raises(RecipeError):
        RCNN(rank, 1, 1, anchors=anchors, limits=limits)


def test_anchors_lie_where_inference_lays_them():
    # What the network learns about place i is what `ops.proposals.grid` says about it.
    net, (images, targets) = network().train(), squares(1)
    torch.manual_seed(0)
    wanted = net(images, targets).pairs["step"][1].numpy().reshape(-1, 2, 2)
    anchors = np.concatenate([grid((16, 16), 4, ANCHORS[0]), grid((8, 8), 8, ANCHORS[1])])
    truth = targets[0][0, :, :4].numpy().reshape(-1, 2, 2).astype(float)
    every = np.stack([steps(np.repeat(t[None], len(anchors), 0), anchors) for t in truth]).reshape(-1, 2, 2)
    assert all(np.abs(every - w).max((1, 2)).min() < 1e-4 for w in wanted)
