"""Learning to restore what was masked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.data import Pretraining
from isocenter.fit.feed import Shelf, batch, generator
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.planning import plan
from isocenter.fit.pretraining import phase
from isocenter.fit.questions.restore_masked import QUESTION, blocks, masked, without
from isocenter.fit.scheme import Scheme
from isocenter.tasks.segment.unet import UNet


@pytest.fixture
def scheme(discs) -> Scheme:
    made = plan(UNet(), fingerprint(discs(), "segment"))
    return phase(replace(made, pretraining=Pretraining(2, 3, share=0.4, block=4)))


@pytest.mark.parametrize("shape", [(48, 40), (10, 24, 20)])
@pytest.mark.parametrize("share", [0.25, 0.75])
def test_blocks_cover_their_share_and_have_their_size(shape: tuple[int, ...], share: float) -> None:
    drawn = [blocks(np.random.default_rng(i), shape, share=share, side=4) for i in range(40)]
    assert all(m.shape == shape and m.dtype == bool for m in drawn)
    assert np.mean(drawn) == pytest.approx(share, abs=0.03)
    # Each pixel is masked as often as any other, up to chance.
    assert np.std(np.mean(drawn, axis=0)) < 0.12
    inner = drawn[0][tuple(slice(8, 16) if n > 16 else slice(None) for n in shape)]
    runs = np.diff(np.flatnonzero(np.diff(inner.astype(int), axis=-1).any(tuple(range(inner.ndim - 1)))))
    assert (runs % 4 == 0).all()


def test_something_is_masked_and_something_seen_whatever_the_share() -> None:
    for share in (0.05, 0.95):
        found = [blocks(np.random.default_rng(i), (16, 16), share=share, side=8) for i in range(50)]
        assert all(m.any() and not m.all() for m in found)
    assert blocks(np.random.default_rng(0), (4, 4), share=0.5, side=64).shape == (4, 4)


def test_masked_pixels_hold_the_mean_of_the_others_channel_by_channel() -> None:
    rng = np.random.default_rng(1)
    image = rng.normal(size=(2, 6, 6)).astype(np.float32) + np.array([0, 5], np.float32)[:, None, None]
    hidden = np.zeros((6, 6), bool)
    hidden[2:4, 2:4] = True
    out = without(image, hidden)
    assert out.dtype == np.float32
    assert np.array_equal(out[:, ~hidden], image[:, ~hidden])
    for c in range(2):
        assert np.allclose(out[c, hidden], image[c, ~hidden].mean(), atol=1e-6)
    assert np.allclose(without(image, np.ones((6, 6), bool))[1], image[1].mean(), atol=1e-6)


def test_a_sample_shows_the_patch_with_holes_and_asks_for_the_whole(discs, scheme: Scheme) -> None:
    shelf = Shelf(discs().without_truth(range(8)), scheme)
    images, (whole, hidden) = batch(shelf, 3, seed=1)
    assert images.shape == whole.shape and hidden.shape == (len(images), 1, *images.shape[2:])
    assert hidden.dtype == torch.bool
    kept = ~hidden.expand_as(whole)
    assert torch.equal(images[kept], whole[kept])
    assert not torch.equal(images, whole)
    # Sample k of a step depends on the counter alone.
    again = batch(Shelf(shelf.cases, scheme), 3, seed=1)
    assert torch.equal(again[0], images) and torch.equal(again[1][1], hidden)
    assert not torch.equal(batch(shelf, 4, seed=1)[1][1], hidden)


def test_the_loss_counts_masked_pixels_alone(scheme: Scheme) -> None:
    whole, hidden = torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    hidden[..., 0, 0] = True
    out = torch.full((1, 2, 4, 4), 100.0)
    out[..., 0, 0] = torch.tensor([1.0, 3.0])
    assert float(QUESTION.loss(scheme)(out, (whole, hidden))) == pytest.approx((1 + 9) / 2)
    assert float(QUESTION.loss(scheme)(out, (whole, torch.zeros_like(hidden)))) == 0.0


class Knowing(nn.Module):
    """Answers the true images in their order, or the middle of each."""

    def __init__(self, shelf: Shelf, right: bool) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.zeros(1))
        self.answers, self.right = [shelf[i].image for i in range(len(shelf))], right

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = x.numpy()
        found = next(a for a in self.answers if (seen[0] == a).mean() > 0.3)
        return torch.from_numpy(found)[None] if self.right else torch.full_like(x, float(found.mean()))


def test_the_score_is_the_share_of_the_variance(discs, scheme: Scheme) -> None:
    shelf = Shelf(discs(4), scheme)
    assert QUESTION.score(Knowing(shelf, right=True), shelf) == pytest.approx(1.0)
    assert QUESTION.score(Knowing(shelf, right=False), shelf) < 0.1
    assert np.array_equal(masked(generator(0, 0, 1), scheme, (24, 24)), masked(generator(0, 0, 1), scheme, (24, 24)))
