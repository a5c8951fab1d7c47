from __future__ import annotations

import numpy as np
import torch

from isocenter.nets.roi import align
from isocenter.ops.roi import pooled

STRIDES = (4, 8, 16)


def regions(rng, n):
    low = rng.uniform(-10, 100, (n, 2))
    return np.stack([low, low + rng.uniform(1, 300, (n, 2))], 1)


def maps(rng, n=2):
    return [rng.normal(size=(n, 6, 128 // s, 160 // s)).astype(np.float32) for s in STRIDES]


def test_it_answers_as_the_kernel_of_inference(rng):
    levels, edges = maps(rng), [regions(rng, 40), regions(rng, 25)]
    for size, samples in ((7, 2), (14, 2), (3, 1)):
        found = align([torch.from_numpy(m) for m in levels], edges, size=size, strides=STRIDES, samples=samples)
        wanted = [
            pooled([m[i] for m in levels], e, size=size, strides=STRIDES, samples=samples) for i, e in enumerate(edges)
        ]
        assert found.shape == (65, 6, size, size)
        assert np.abs(found.numpy() - np.concatenate(wanted)).max() <= 1e-5


def test_gradients_reach_the_cells_that_a_region_covers(rng):
    features = torch.zeros(1, 1, 8, 8, requires_grad=True)
    align([features], [np.array([[[7.5, 7.5], [15.5, 15.5]]])], size=2, strides=(4,), samples=1).sum().backward()
    assert features.grad.nonzero()[:, 2:].tolist() == [[2, 2], [2, 3], [3, 2], [3, 3]]
    assert float(features.grad.sum()) == 4.0


def test_images_without_regions(rng):
    levels = [torch.from_numpy(m) for m in maps(rng)]
    none = np.zeros((0, 2, 2))
    assert align(levels, [none, none], size=7, strides=STRIDES).shape == (0, 6, 7, 7)
    edges = regions(rng, 3)
    only = align(levels, [none, edges], size=7, strides=STRIDES)
    assert torch.equal(only, align([m[1:] for m in levels], [edges], size=7, strides=STRIDES))


def test_half_precision_features_are_read_in_full(rng):
    levels = [torch.from_numpy(m).bfloat16() for m in maps(rng, 1)]
    assert align(levels, [regions(rng, 4)], size=7, strides=STRIDES).dtype == torch.float32
