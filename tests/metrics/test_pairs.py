"""Paired tests of methods on the same cases."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from isocenter import catalog
from isocenter.data import Boxes, CaseScore, Geometry, Scores, Segmentation, Task, Test
from isocenter.errors import InputError, NotFoundError
from isocenter.metrics import compare, lead_target, records, summarise
from isocenter.metrics.ranking import delong

Cases = Callable[..., list[CaseScore]]
Scored = Callable[..., Scores]


def table(task: Task, cases: list[CaseScore], method: str) -> Scores:
    return summarise(task, cases, method=method, split="test", resamples=50)


def by_test(tests: tuple[Test, ...], metric: str) -> dict[str, Test]:
    return {t.test: t for t in tests if t.metric == metric}


def pair(seed: int, n: int = 80) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.5
    z = rng.normal(size=n)
    return y, 1 / (1 + np.exp(-(z + 2 * y - 1))), 1 / (1 + np.exp(-(z + rng.normal(size=n) + 2 * y - 1)))


def test_dice_by_bootstrap_and_wilcoxon(segment: Task, overlaps: Cases) -> None:
    rng = np.random.default_rng(0)
    x = rng.beta(8, 2, 30)
    y = np.clip(x - 0.02 + 0.03 * rng.normal(size=30), 0, 1)
    tests = compare(segment, [table(segment, overlaps(x), "a"), table(segment, overlaps(y), "b")])
    found = by_test(tests, "dice")
    assert list(found) == ["paired bootstrap", "wilcoxon"]
    for t in found.values():
        assert (t.a, t.b, t.target) == ("a", "b", "all") and t.difference == pytest.approx((x - y).mean())
        assert t.low < t.difference < t.high and t.p_holm == t.p and t.flags == ()
    assert found["wilcoxon"].p == pytest.approx(stats.wilcoxon(x - y).pvalue)
    assert found["paired bootstrap"].p == pytest.approx(stats.ttest_rel(x, y).pvalue, abs=0.01)


def test_auc_by_delong_and_accuracy_by_mcnemar(classify: Task, binary: Cases, scored: Scored) -> None:
    y, a, b = pair(1)
    tests = compare(classify, [scored(binary(y, a), "a"), scored(binary(y, b), "b")])
    auc, accuracy = by_test(tests, "auc"), by_test(tests, "accuracy")
    aucs, c = delong(np.array([a, b]), y)
    z = (aucs[0] - aucs[1]) / np.sqrt(c[0, 0] + c[1, 1] - 2 * c[0, 1])
    assert auc["delong"].p == pytest.approx(2 * stats.norm.sf(abs(z)))
    assert auc["delong"].low == pytest.approx(auc["paired bootstrap"].low, abs=0.02)
    right = [(p >= 0.5) == y for p in (a, b)]
    only = (right[0] & ~right[1]).sum(), (right[1] & ~right[0]).sum()
    assert accuracy["mcnemar"].p == pytest.approx(stats.binomtest(min(only), sum(only)).pvalue)
    assert accuracy["mcnemar"].difference == pytest.approx((only[0] - only[1]) / 80)


def test_groups_of_several_cases_leave_out_tests_that_assume_independence(
    classify: Task, binary: Cases, scored: Scored
) -> None:
    y, a, b = pair(2)
    groups = [f"g{i // 2}" for i in range(80)]
    tests = compare(classify, [scored(binary(y, p, groups=groups), m) for p, m in ((a, "a"), (b, "b"))])
    assert {(t.metric, t.test) for t in tests} == {
        ("auc", "paired bootstrap"), ("auc", "delong"), ("accuracy", "paired bootstrap")}
    assert all(t.p is not None for t in tests)
    _, c = delong(np.array([a, b]), y, np.arange(80) // 2)
    found, error = by_test(tests, "auc")["delong"], np.sqrt(c[0, 0] + c[1, 1] - 2 * c[0, 1])
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(found.difference) / error))


def test_wilcoxon_takes_one_number_a_group(segment: Task, overlaps: Cases) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.random((2, 60))
    groups = [f"g{i // 4}" for i in range(60)]
    tests = compare(segment, [table(segment, overlaps(v, groups), m) for v, m in ((x, "a"), (y, "b"))])
    wanted = stats.wilcoxon((x - y).reshape(15, 4).mean(axis=1)).pvalue
    assert by_test(tests, "dice")["wilcoxon"].p == pytest.approx(wanted)


def test_holm_runs_over_all_pairs_of_one_test(segment: Task, overlaps: Cases) -> None:
    rng = np.random.default_rng(4)
    base = rng.beta(8, 2, 25)
    rows = [(m, np.clip(base - d + 0.02 * rng.normal(size=25), 0, 1)) for m, d in (("a", 0), ("b", 0.01), ("c", 0.02))]
    tests = compare(segment, [table(segment, overlaps(v), m) for m, v in rows])
    assert [(t.a, t.b) for t in tests if t.test == "wilcoxon"] == [("a", "b"), ("a", "c"), ("b", "c")]
    ps = [t.p for t in tests if t.test == "wilcoxon"]
    order = np.argsort(ps)
    by_hand = np.maximum.accumulate(np.sort(ps) * [3, 2, 1]).clip(max=1)
    assert [t.p_holm for t in tests if t.test == "wilcoxon"] == pytest.approx(by_hand[np.argsort(order)])


def test_against_one_method_only(segment: Task, overlaps: Cases) -> None:
    rng = np.random.default_rng(5)
    scores = [table(segment, overlaps(rng.random(12)), m) for m in ("a", "b", "c")]
    tests = compare(segment, scores, against="b", metrics=["dice"])
    assert {(t.a, t.b) for t in tests} == {("a", "b"), ("c", "b")}
    with pytest.raises(NotFoundError, match="no method"):
        compare(segment, scores, against="d")


def test_few_groups_have_no_p_and_one_group_no_interval(segment: Task, overlaps: Cases) -> None:
    rng = np.random.default_rng(6)
    few = compare(segment, [table(segment, overlaps(rng.random(4)), m) for m in "ab"])
    for t in few:
        assert t.p is None and t.p_holm is None and t.flags == ("few_subjects",) and t.low < t.high
    one = compare(segment, [table(segment, overlaps(rng.random(4), ["p"] * 4), m) for m in "ab"])
    for t in one:
        assert t.low is None and t.high is None and t.p is None and t.flags == ("few_subjects", "one_subject")
        assert t.difference is not None


def test_a_method_and_itself(classify: Task, binary: Cases, scored: Scored) -> None:
    y, a, _ = pair(7)
    for t in compare(classify, [scored(binary(y, a), "a"), scored(binary(y, a), "b")]):
        assert (t.difference, t.low, t.high, t.p) == (0.0, 0.0, 0.0, 1.0), t.test


def test_order_of_cases_does_not_matter_and_their_set_does(segment: Task, overlaps: Cases) -> None:
    rng = np.random.default_rng(8)
    x, y = overlaps(rng.random(15)), overlaps(rng.random(15))
    plain = compare(segment, [table(segment, x, "a"), table(segment, y, "b")])
    mixed = compare(segment, [table(segment, x, "a"), table(segment, y[::-1], "b")])
    assert plain == mixed
    with pytest.raises(InputError, match="different cases"):
        compare(segment, [table(segment, x, "a"), table(segment, y[:-1], "b")])
    with pytest.raises(InputError, match="different cases"):
        compare(segment, [table(segment, x, "a"), table(segment, [*y[:-1], replace(y[0], case="z")], "b")])


def test_swapping_the_methods_turns_the_sign(segment: Task, overlaps: Cases) -> None:
    rng = np.random.default_rng(9)
    a, b = (table(segment, overlaps(rng.random(20)), m) for m in "ab")
    one, two = compare(segment, [a, b])[0], compare(segment, [b, a])[0]
    assert (one.difference, one.low, one.high) == pytest.approx((-two.difference, -two.high, -two.low))
    assert one.p == pytest.approx(two.p)


def test_foreground_alone_is_compared_on_the_union(segment: Task, mask: Callable[..., Segmentation]) -> None:
    rng = np.random.default_rng(10)
    whole, parts = [], []
    for i in range(12):
        t = rng.integers(0, 3, (8, 8))
        truth = mask(t, "a", "b")
        whole.append(CaseScore(f"c{i}", f"g{i}", records(segment, mask(rng.random((8, 8)) < 0.6), truth)))
        parts.append(CaseScore(f"c{i}", f"g{i}", records(segment, mask(t, "a", "b"), truth)))
    scores = [table(segment, whole, "histogram"), table(segment, parts, "unet")]
    assert lead_target(segment, scores) == "foreground" and lead_target(segment, scores[1:]) == "all"
    tests = compare(segment, scores)
    assert {t.target for t in tests} == {"foreground"} and all(t.difference < 0 for t in tests)


def test_the_positive_class_leads(classify: Task, classified: Cases, scored: Scored) -> None:
    rng = np.random.default_rng(11)
    y = rng.integers(0, 3, 60)
    cases = [classified(y, rng.dirichlet([1, 1, 1], 60), ("a", "b", "c")) for _ in range(2)]
    scores = [scored(c, m) for c, m in zip(cases, "xy", strict=True)]
    tests = compare(classify, scores, positive="b")
    assert {(t.metric, t.target) for t in tests} == {("auc", "b"), ("accuracy", "all")}
    assert {t.test for t in tests} == {"paired bootstrap", "delong", "mcnemar"}
    plain = compare(classify, scores)
    assert {(t.metric, t.target, t.test) for t in plain} == {
        ("auc", "all", "paired bootstrap"), ("accuracy", "all", "paired bootstrap"), ("accuracy", "all", "mcnemar")}
    want = scores[0].metrics["auc"]["all"].value - scores[1].metrics["auc"]["all"].value
    assert plain[0].difference == pytest.approx(want)


def test_nothing_to_compare_and_nothing_defined(classify: Task, binary: Cases, scored: Scored) -> None:
    ones = [scored(binary([1] * 12, np.linspace(0.1, 0.9, 12)), m) for m in "ab"]
    assert compare(classify, ones[:1]) == ()
    auc = compare(classify, ones, metrics=["auc"])
    assert [(t.difference, t.p, t.flags) for t in auc] == [(None, None, ("undefined",))]


def test_perfect_against_reversed_has_no_delong_p(classify: Task, binary: Cases, scored: Scored) -> None:
    y = [1, 0] * 8
    tests = compare(classify, [scored(binary(y, [0.9, 0.1] * 8), "a"), scored(binary(y, [0.1, 0.9] * 8), "b")])
    found = by_test(tests, "auc")["delong"]
    assert found.difference == 1.0 and found.p is None and "undefined" in found.flags


def test_delong_by_patient_is_small_one_time_in_twenty(classify: Task, scored: Scored) -> None:
    """Three images of a patient agree with each other: independence would call one pair in five different."""
    rng = np.random.default_rng(13)
    small = naive = 0
    for _ in range(200):
        patient = np.repeat(np.arange(40), 3)
        y = (rng.random(40) < 0.5)[patient]
        z = (rng.normal(size=(2, 40)) * 1.5)[:, patient] + rng.normal(size=(2, 120)) * 0.3 + y
        aucs, c = delong(z, y, patient)
        small += abs(aucs[0] - aucs[1]) > 1.96 * np.sqrt(c[0, 0] + c[1, 1] - 2 * c[0, 1])
        _, c = delong(z, y)
        naive += abs(aucs[0] - aucs[1]) > 1.96 * np.sqrt(c[0, 0] + c[1, 1] - 2 * c[0, 1])
    assert small <= 22 and naive > 30, (small, naive)


def test_p_values_are_small_one_time_in_twenty_where_nothing_differs(
    classify: Task, binary: Cases, scored: Scored
) -> None:
    rng = np.random.default_rng(12)
    small = {"paired bootstrap": 0, "delong": 0}
    for _ in range(100):
        y = rng.random(60) < 0.5
        p = rng.normal(size=(2, 60)) + y + rng.normal(size=60)
        cases = [binary(y, 1 / (1 + np.exp(-v)), only=("auc",)) for v in p]
        both = [scored(c, m, resamples=1, only=("auc",)) for c, m in zip(cases, "ab", strict=True)]
        seed = int(rng.integers(1 << 30))
        for t in compare(replace(classify, metrics=("auc",)), both, resamples=400, seed=seed):
            small[t.test] += t.p < 0.05
    assert all(n <= 13 for n in small.values()), small


def test_ten_methods_take_seconds(classify: Task, binary: Cases, scored: Scored) -> None:
    rng = np.random.default_rng(13)
    y = rng.random(300) < 0.5
    scores = [scored(binary(y, rng.random(300)), f"m{i}", resamples=10) for i in range(6)]
    start = time.process_time()
    tests = compare(classify, scores)
    assert len(tests) == 15 * 4 and time.process_time() - start < 3


def test_a_method_of_nameless_objects_is_compared_on_all_classes_together() -> None:
    task, grid = catalog.task("detect"), Geometry((40, 40))

    def answers(names: tuple[str, ...], shift: float) -> list[CaseScore]:
        out = []
        for i in range(12):
            edges = np.array([[[2.0, 2], [10, 10]], [[20, 20], [30, 30]]])
            truth = Boxes(edges, np.array([0, 1]), ("red", "white"), grid)
            labels = np.arange(2) % len(names)
            out.append(CaseScore(f"c{i}", f"g{i}", records(task, Boxes(
                edges + shift * (i % 2), labels, names, grid, np.array([0.9, 0.8])), truth)))
        return out

    named, nameless = (table(task, answers(n, s), m) for n, s, m in (
        (("red", "white"), 0.0, "named"), (("object",), 6.0, "nameless")))
    assert lead_target(task, [named, nameless]) == "object" and lead_target(task, [named]) == "all"
    tests = compare(task, [named, nameless], metrics=("ap50", "f1_50"))
    found = {(t.metric, t.test): t for t in tests}
    assert list(found) == [("ap50", "paired bootstrap"), ("f1_50", "paired bootstrap"), ("f1_50", "wilcoxon")]
    assert {t.target for t in tests} == {"object"} and found["f1_50", "wilcoxon"].difference == pytest.approx(0.5)
    assert all(t.p is not None and t.p < 0.05 for t in tests)
    assert found["ap50", "paired bootstrap"].difference == pytest.approx(
        named.metrics["ap50"]["object"].value - nameless.metrics["ap50"]["object"].value)
