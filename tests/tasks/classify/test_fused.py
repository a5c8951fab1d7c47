from __future__ import annotations

import numpy as np
import pytest
import torch

from isocenter.errors import BundleError
from isocenter.nets.fusing import FUSIONS as TORCHS
from isocenter.nets.fusing import Fusing
from isocenter.tasks.classify._fused import FUSIONS, answers, attention, checked, fused, pooled, stacked

N, COUNT, TOKENS = 20, 3, 5


def given(kind: str) -> tuple[Fusing, dict[str, np.ndarray]]:
    torch.manual_seed(0)
    module = Fusing([], 0, 2, kind=kind, tokens=TOKENS, count=COUNT).eval()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    head = {name: value.numpy() for name, value in module.state_dict().items()}
    return module, head | ({"shares": np.full(COUNT, 1 / COUNT)} if kind == "late" else {})


def drawn() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    present = rng.random((N, COUNT)) < 0.6
    present[:, 0] |= ~present.any(axis=1)
    return rng.normal(size=(N, COUNT, TOKENS)) * present[..., None], present


@pytest.mark.parametrize("kind", FUSIONS)
def test_it_answers_as_torch_does(kind: str) -> None:
    module, head = given(kind)
    tokens, present = drawn()
    with torch.inference_mode():
        wanted = module.fused(torch.from_numpy(tokens).float(), torch.from_numpy(present)).numpy()
    assert fused(head, tokens, present, kind=kind) == pytest.approx(wanted, abs=1e-4)
    assert FUSIONS == TORCHS


def test_attention_is_shared_out_over_what_is_present() -> None:
    _, head = given("attention")
    tokens, present = drawn()
    weights = attention(head, tokens, present)
    assert np.array_equal(weights > 0, present)
    assert weights.sum(axis=1) == pytest.approx(np.ones(N))


def test_late_fusion_weighs_by_its_shares() -> None:
    _, head = given("late")
    tokens, present = drawn()
    each = answers(head, tokens)
    first = pooled(each, present, np.array([1.0, 0.0, 0.0]))
    here = present[:, 0]
    assert first[here] == pytest.approx(each[here, 0])
    # Where the only one with a weight is missing, the others count alike.
    row = int(np.flatnonzero(~here)[0])
    assert first[row] == pytest.approx(each[row][present[row]].mean(axis=0))


def test_shares_are_drawn_to_what_tells_and_stay_equal_for_few_cases() -> None:
    rng = np.random.default_rng(1)
    y = np.arange(200) % 2
    truth = np.eye(2)[y]
    telling = np.stack([np.zeros(200), (2 * y - 1) * 1.5 + rng.normal(0, 1, 200)], axis=1)
    noise = rng.normal(0, 2, (200, 2))
    each, present = np.stack([telling, noise], axis=1), np.ones((200, 2), bool)
    shares = stacked(each, present, truth)
    assert shares.sum() == pytest.approx(1) and shares[0] > 0.85
    few = stacked(each[:4], present[:4], truth[:4])
    assert abs(few[0] - 0.5) < abs(shares[0] - 0.5)
    assert stacked(each, present, truth, several=True)[0] > 0.5


@pytest.mark.parametrize("kind", FUSIONS)
def test_a_head_that_does_not_fit_is_refused(kind: str) -> None:
    _, head = given(kind)
    checked(head, kind=kind, count=COUNT, tokens=TOKENS, outputs=2)
    with pytest.raises(BundleError, match="do not fit"):
        checked(head, kind=kind, count=COUNT + 1, tokens=TOKENS, outputs=2)
    with pytest.raises(BundleError, match="None"):
        checked({}, kind=kind, count=COUNT, tokens=TOKENS, outputs=2)
