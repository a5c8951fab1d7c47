"""Two sites that measure the same people differently."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from isocenter.errors import InputError
from isocenter.ops.combat import combat


def people(n: int = 120, d: int = 12, *, seed: int = 0, uneven: bool = False) -> tuple[np.ndarray, ...]:
    """What is true (n, d), what two sites measure of it, the sites, and who is sick: the first 4 features say so."""
    rng = np.random.default_rng(seed)
    site = np.arange(n) % 2
    odds = np.where(site == 1, 0.8, 0.2) if uneven else np.full(n, 0.5)
    sick = (rng.random(n) < odds).astype(float)
    true = rng.normal(size=(n, d)) * rng.uniform(0.5, 3, d) + rng.uniform(-5, 20, d)
    true[:, :4] += 1.5 * sick[:, None] * true[:, :4].std(0)
    moved, scaled = rng.normal(1.0, 0.4, d) * true.std(0) * 2, rng.uniform(1.5, 2.0, d)
    seen = np.where(site[:, None] == 1, (true - true.mean(0)) * scaled + true.mean(0) + moved, true)
    return true, seen, site, sick


def gap(x: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Difference of the means of two groups, in SD."""
    return (x[groups == 1].mean(0) - x[groups == 0].mean(0)) / x.std(0)


def test_the_site_goes_and_the_sickness_stays() -> None:
    true, seen, site, sick = people()
    out = combat(seen, site, sick[:, None]).applied(seen, site)
    assert np.abs(gap(seen, site)).mean() > 0.8
    # What is left is no more than chance put between the sites.
    assert np.abs(gap(out, site)).mean() < 0.2
    ratio = out[site == 1].std(0) / out[site == 0].std(0)
    before = seen[site == 1].std(0) / seen[site == 0].std(0)
    assert np.abs(np.log(ratio)).max() < np.log(1.25) < np.log(before).min()
    assert np.allclose(gap(out, sick)[:4], gap(true, sick)[:4], atol=0.25)
    assert gap(seen, sick)[:4].mean() + 0.2 < gap(out, sick)[:4].mean()


def test_where_one_site_has_more_sick_people_covariates_keep_them_apart() -> None:
    true, seen, site, sick = people(400, uneven=True)
    wanted = gap(true, sick)[:4].mean()
    kept = gap(combat(seen, site, sick[:, None]).applied(seen, site), sick)[:4].mean()
    lost = gap(combat(seen, site).applied(seen, site), sick)[:4].mean()
    assert abs(kept - wanted) < 0.15 and lost < wanted - 0.25


def test_many_cases_need_no_prior_and_give_least_squares() -> None:
    _, seen, site, sick = people(4000, 5)
    found = combat(seen, site, sick[:, None])
    design = np.c_[site == 0, site == 1, sick].astype(float)
    weights = np.linalg.lstsq(design, seen, rcond=None)[0]
    left = seen - design @ weights
    mean = weights[:2].mean(0)
    for s in range(2):
        own = left[site == s].std(0) / left.std(0)
        assert np.allclose(found.gain[s], 1 / own, rtol=0.01)
        assert np.allclose(found.gain[s] * weights[s] + found.shift[s], mean, atol=0.02 * left.std(0).max())


def test_few_cases_are_drawn_towards_what_other_features_say() -> None:
    rng = np.random.default_rng(3)
    site = np.r_[np.zeros(60, int), np.ones(4, int)]
    x = rng.normal(size=(64, 40)) + 2.0 * site[:, None]
    found = combat(x, site)
    plain = x[site == 1].mean(0) - x[site == 0].mean(0)
    drawn = (found.applied(x, site) - x)[site == 0].mean(0) - (found.applied(x, site) - x)[site == 1].mean(0)
    assert np.std(drawn) < 0.6 * np.std(plain) and np.mean(drawn) == pytest.approx(2.0, abs=0.4)


def test_a_feature_that_never_varies_stays_and_one_alone_has_no_prior() -> None:
    _, seen, site, _ = people(60, 4)
    seen[:, 2] = 7.0
    found = combat(seen, site)
    assert found.gain[:, 2].tolist() == [1, 1] and found.shift[:, 2].tolist() == [0, 0]
    alone = combat(seen[:, :1], site)
    out = alone.applied(seen[:, :1], site)
    assert out[site == 0].mean() == pytest.approx(out[site == 1].mean())
    assert np.array_equal(combat(seen, site, np.ones((60, 1))).gain, found.gain)


def test_what_cannot_be_told_apart_is_refused() -> None:
    _, seen, site, _ = people(20, 3)
    for wrong in (np.zeros(20, int), np.r_[np.zeros(19, int), 1]):
        with pytest.raises(InputError, match="2 sites of 2 cases"):
            combat(seen, wrong)
    with pytest.raises(InputError, match="cannot be told from the sites"):
        combat(seen, site, site[:, None].astype(float))


@pytest.fixture
def peer() -> Any:
    """The authors' own program (MIT)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("neuroCombat", reason="pip install neuroCombat").neuroCombat


@pytest.mark.parametrize("sizes", [(60, 60), (30, 8, 50)])
def test_it_agrees_with_the_authors_program(peer: Any, sizes: tuple[int, ...], capsys: Any) -> None:
    import pandas

    rng = np.random.default_rng(1)
    site = np.repeat(np.arange(len(sizes)), sizes)
    sick = rng.integers(0, 2, len(site)).astype(float)
    x = rng.normal(size=(len(site), 15)) * rng.uniform(0.5, 2, 15) + rng.uniform(-3, 9, 15)
    x = x * (1 + 0.4 * site[:, None]) + site[:, None] * rng.normal(1, 0.3, 15) + 0.7 * sick[:, None]
    covars = pandas.DataFrame({"site": site + 1, "sick": sick})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = peer(x.T, covars[["site"]], "site")
        kept = peer(x.T, covars, "site", continuous_cols=["sick"])
    capsys.readouterr()
    assert np.allclose(combat(x, site).applied(x, site), plain["data"].T, atol=1e-3)
    found = combat(x, site, sick[:, None])
    assert np.allclose(1 / found.gain**2, kept["estimates"]["delta.star"], rtol=1e-3)
    # What it takes off beside the scale: both programs' shift of each site from the mean, in SD of what is left.
    spread = np.ravel(np.sqrt(kept["estimates"]["var.pooled"]))
    design = np.c_[np.eye(len(sizes))[site], sick]
    weights = np.linalg.lstsq(design, x, rcond=None)[0]
    mean = np.asarray(sizes) @ weights[:-1] / len(x)
    shift = ((mean - found.shift) / found.gain - mean) / spread
    assert np.allclose(shift, kept["estimates"]["gamma.star"], atol=1e-3)
