from __future__ import annotations

import pytest
import torch

from isocenter.nets.deeplab import DeepLab, Pyramid


def test_two_and_three_axes_answer_on_the_own_grid() -> None:
    assert DeepLab(2, 3, 2, width=8).eval()(torch.randn(2, 3, 64, 96)).shape == (2, 2, 64, 96)
    strides = [[1, 2, 2], [1, 2, 2], [2, 2, 2], [1, 1, 1]]
    net = DeepLab(3, 1, 4, width=4, strides=strides, rates=(1, 2)).eval()
    assert net(torch.randn(1, 1, 4, 16, 32)).shape == (1, 4, 4, 16, 32)


@pytest.mark.parametrize("rank", [2, 3])
def test_the_pyramid_sees_as_far_as_its_rates_and_the_mean_sees_all(rank: int) -> None:
    torch.manual_seed(0)
    pyramid = Pyramid(rank, 2, 4, rates=(3,)).eval()
    x = torch.randn(1, 2, *(15,) * rank, requires_grad=True)
    middle = (0, slice(None), *(7,) * rank)
    branch = pyramid.branches[1][0](x)
    branch[middle].sum().backward()
    where = {tuple(i) for i in x.grad[0].abs().sum(0).nonzero().tolist()}
    assert {i[0] for i in where} == {4, 7, 10}
    assert len(where) == 3**rank
    changed = x.detach().clone()
    changed[(0, slice(None), *(0,) * rank)] += 5
    assert not torch.equal(pyramid.mean(changed.mean(tuple(range(2, rank + 2)), keepdim=True)),
                           pyramid.mean(x.detach().mean(tuple(range(2, rank + 2)), keepdim=True)))  # fmt: skip


def test_the_encoder_is_sixteen_times_coarser_and_the_decoder_four_times() -> None:
    net, seen = DeepLab(2, 1, 2, width=4).eval(), {}
    for name in ("pyramid", "join"):
        net.get_submodule(name).register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: out.shape[2]}))
    net(torch.randn(1, 1, 64, 64))
    assert seen == {"pyramid": 4, "join": 16}


def test_every_weight_gets_a_gradient() -> None:
    net = DeepLab(2, 1, 2, width=8, rates=(1, 2)).train()
    net(torch.randn(2, 1, 64, 64)).square().mean().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in net.parameters() if p.ndim > 1)
