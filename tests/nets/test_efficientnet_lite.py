"""EfficientNet-Lite0: shapes, the published names, and the answers of another implementation."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from isocenter.nets.efficientnet_lite import STAGES, EfficientNetLite0  # noqa: E402

GRIDS = [(2, None, (33, 48)), (3, None, (33, 20, 20)), (3, 1, (5, 33, 33))]


@pytest.mark.parametrize(("rank", "context", "grid"), GRIDS)
def test_logits_of_any_grid(rank: int, context: int | None, grid: tuple[int, ...]) -> None:
    made = EfficientNetLite0(rank, 2, 3, width=8, context=context).eval()
    assert made(torch.zeros(2, 2, *grid)).shape == (2, 3)
    assert sum(s.blocks for s in STAGES) == len(made._blocks) == 16


def test_published_names_and_size() -> None:
    """4.65 million parameters, as its authors say; first, middle and last names of the published file."""
    state = EfficientNetLite0(2, 3, 1000).state_dict()
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    assert sum(v.numel() for n, v in state.items() if "running" not in n and "tracked" not in n) == 4_652_008
    assert shapes["_conv_stem.weight"] == (32, 3, 3, 3) and shapes["_fc.weight"] == (1000, 1280)
    assert shapes["_blocks.3._depthwise_conv.weight"] == (144, 1, 5, 5)
    assert shapes["_blocks.15._project_conv.weight"] == (320, 1152, 1, 1)
    assert "_blocks.0._expand_conv.weight" not in shapes


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_answers_as_another_implementation_on_grids_that_stay_odd() -> None:
    peer = pytest.importorskip(
        "efficientnet_lite_pytorch", reason="pip install efficientnet_lite_pytorch==0.1.0"
    ).EfficientNet.from_name("efficientnet-lite0", image_size=65, num_classes=7).eval()
    torch.manual_seed(0)
    for value in peer.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) * 0.2 + (0.9 if value.ndim == 1 else -0.1))
    ours = EfficientNetLite0(2, 3, 7).eval()
    ours.load_state_dict(peer.state_dict())
    x = torch.rand(2, 3, 65, 65)
    with torch.no_grad():
        assert torch.allclose(ours(x), peer(x), rtol=1e-4, atol=1e-4)


def test_the_network_learns_two_kinds() -> None:
    torch.manual_seed(0)
    made = EfficientNetLite0(2, 1, 2, width=8, dropout=0.0).train()
    x, y = torch.randn(16, 1, 32, 32), torch.arange(16) % 2
    x[y == 1, :, 8:16] += 3.0
    optimiser = torch.optim.AdamW(made.parameters(), 3e-3)
    for _ in range(30):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(made(x), y)
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.2
