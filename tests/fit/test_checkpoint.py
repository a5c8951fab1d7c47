from __future__ import annotations

import resource

import pytest
import torch
from torch import nn

from isocenter.errors import BundleError, OutputError, ResourceError
from isocenter.fit.checkpoint import NAME, Run, load, save


def made(seed: int = 0, steps: int = 3, kind: str = "adamw", size: int = 4) -> Run:
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(size, 3), nn.BatchNorm1d(3))
    optimiser: torch.optim.Optimizer = (
        torch.optim.AdamW(module.parameters(), lr=0.1)
        if kind == "adamw"
        else torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    )
    run = Run(module, optimiser, {k: v.clone() for k, v in module.state_dict().items()})
    for _ in range(steps):
        stepped(run)
    run.best = {k: v.clone() for k, v in module.state_dict().items()}
    run.step, run.best_score, run.stale, run.losses = steps, 0.5, 2, [1.25, 3.0]
    run.history = [{"step": 3, "loss": 0.1, "score": 0.5, "rate": 1e-3}]
    return run


def stepped(run: Run) -> None:
    x = torch.linspace(0, 1, 5 * run.module[0].in_features).reshape(5, -1)
    run.optimiser.zero_grad()
    run.module(x).square().sum().backward()
    run.optimiser.step()


@pytest.mark.parametrize("kind", ["adamw", "sgd"])
def test_everything_comes_back(tmp_path, kind: str) -> None:
    run, other = made(kind=kind), made(seed=1, steps=0, kind=kind)
    save(run, tmp_path, key="k")
    assert load(other, tmp_path, key="k")
    for name in ("step", "best_score", "stale", "history", "losses"):
        assert getattr(other, name) == getattr(run, name)
    for mine, theirs in ((run.best, other.best), (run.mean, other.mean)):
        assert all(torch.equal(mine[k], theirs[k]) for k in mine)
    # The next step is the same to the last bit: the optimiser's moments are back too.
    stepped(run)
    stepped(other)
    a, b = run.module.state_dict(), other.module.state_dict()
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_without_a_checkpoint_nothing_happens(tmp_path) -> None:
    run = made()
    assert not load(run, tmp_path, key="k")
    assert run.step == 3


def test_another_plan_is_refused(tmp_path) -> None:
    save(made(), tmp_path, key="k")
    with pytest.raises(BundleError, match="another plan"):
        load(made(), tmp_path, key="other")


def test_a_damaged_file_is_refused(tmp_path) -> None:
    save(made(), tmp_path, key="k")
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BundleError, match="damaged"):
        load(made(), tmp_path, key="k")


def test_a_full_disk_keeps_the_last_good_one(tmp_path) -> None:
    save(made(steps=2), tmp_path, key="k")
    before = (tmp_path / NAME).read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(ResourceError, match="disk is full"):
            save(made(steps=5), tmp_path, key="k")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / NAME).read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [NAME]


def test_a_folder_that_cannot_be_written_is_said(tmp_path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        save(made(), tmp_path / "file", key="k")
