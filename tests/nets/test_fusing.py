from __future__ import annotations

import pytest
import torch
from torch import nn

from isocenter.errors import RecipeError
from isocenter.nets.fusing import FUSIONS, Fusing

N, TOKENS = 6, 4


def made(kind: str, *, facts: int = 3, encoders: int = 2) -> Fusing:
    torch.manual_seed(0)
    parts = [nn.Sequential(nn.Flatten(), nn.Linear(8 * (i + 1), TOKENS)) for i in range(encoders)]
    return Fusing(parts, facts, 2, kind=kind, tokens=TOKENS, count=encoders + bool(facts)).eval()


def inputs() -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    present = torch.ones(N, 3, dtype=torch.bool)
    present[:3, 1] = False
    return [torch.randn(N, 1, 8), torch.randn(N, 1, 4, 4)], torch.randn(N, 3), present


@pytest.mark.parametrize("kind", FUSIONS)
def test_what_is_missing_is_never_looked_at(kind: str) -> None:
    module, (images, facts, present) = made(kind), inputs()
    answer = module(images, facts, present)
    assert answer.shape == (N, 2) and bool(answer.isfinite().all())
    other = images[1].clone()
    other[:3] = float("nan")
    assert torch.equal(module([images[0], other], facts, present), answer)
    other[3] = 0.0
    assert not torch.equal(module([images[0], other], facts, present)[3], answer[3])


@pytest.mark.parametrize("kind", FUSIONS)
def test_a_case_with_one_modality_is_answered_and_teaches(kind: str) -> None:
    module, (images, facts, _) = made(kind), inputs()
    alone = torch.zeros(N, 3, dtype=torch.bool)
    alone[:, 2] = True
    answer = module(images, facts, alone)
    answer.sum().backward()
    assert module.facts.weight.grad is not None and float(module.facts.weight.grad.abs().sum()) > 0
    assert all(p.grad is None for p in module.encoders.parameters())


def test_late_fusion_is_the_mean_of_those_present() -> None:
    module, (images, facts, present) = made("late"), inputs()
    tokens = module.seen(images, facts, present)
    each = module.answers(tokens)
    answer = module.fused(tokens, present)
    torch.testing.assert_close(answer[0], (each[0, 0] + each[0, 2]) / 2)
    torch.testing.assert_close(answer[5], each[5].mean(0))


def test_presence_alone_is_fusion_without_encoders() -> None:
    module = Fusing([], 0, 2, kind="joint", tokens=TOKENS, count=3).eval()
    _, facts, present = inputs()
    answer = module([], facts[:, :0], present)
    assert torch.equal(answer[0], answer[2]) and torch.equal(answer[3], answer[5])
    assert not torch.equal(answer[0], answer[3])


def test_another_kind_is_refused() -> None:
    with pytest.raises(RecipeError, match="Did you mean late"):
        made("lat")
