"""Methods on attacked and corrupted cases, beside the same cases as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Case, Cases, Probabilities, Segmentation, Study, Watch
from isocenter.errors import NotFoundError, RecipeError, UsageError
from isocenter.tasks.classify.cnn import Cnn
from isocenter.verbs._method import resolve
from isocenter.verbs._strains import Strain
from isocenter.verbs._under import disturbed
from isocenter.verbs.compare import compare


class Bright:
    """Large squares make a bright picture."""

    name = "bright"

    def predict(self, case: Case) -> Probabilities:
        share = float(np.clip((case.image().pixels().mean() - 60) / 40, 0, 1))
        return Probabilities(("large", "small"), (share, 1 - share))


class Outlined:
    name = "outlined"

    def predict(self, case: Case) -> Segmentation:
        image = case.image()
        return Segmentation((image.pixels() > 110).astype(np.uint8), ("background", "square"), image.geometry)


@pytest.fixture(scope="module")
def network(sizes: Cases) -> Any:
    recipe = Cnn(network="small", width=4, study=Study(epochs=4, steps=6, batch_size=12, learning_rate=0.02))
    fitted = recipe.fit(sizes.split("train"), sizes.split("val"), watch=Watch(threads=1))

    class Named:
        name = "net"
        about = fitted.about

        def predict(self, case: Case) -> Any:
            return fitted.predict(case)

        def opened(self) -> Any:
            return fitted.opened()

    return Named()


def test_clean_and_robust_scores_stand_side_by_side(sizes: Cases, network: Any) -> None:
    made = compare("classify", sizes, methods=[network], attack="pgd", epsilon=["0", "8/255", "24/255"], threads=1,
                   settings={"pgd.steps": 8})
    (row,) = made.under
    assert row.method == "net" and row.lead == "8/255" and list(row.levels) == ["0", "8/255", "24/255"]
    values = [row.shown(level).value for level in ("", *row.levels)]
    assert values[0] == values[1], "nothing allowed, nothing lost"
    assert values[1] >= values[2] >= values[3] and values[3] < values[0]
    score = row.levels["8/255"].metrics["robust_accuracy"]["all"]
    assert score.low <= score.value <= score.high and score.n == 8
    assert row.levels["8/255"].metrics["accuracy"]["all"].value == score.value
    test = next(t for t in row.tests if t.b == "net")
    assert test.a == "net pgd 8/255" and test.metric == "accuracy"
    assert test.difference == pytest.approx(score.value - values[0])
    lines = "\n".join(made.lines())
    assert "under pgd" in lines and "robust_accuracy at 8/255" in lines and "accuracy unchanged" in lines
    document = made.as_json()
    assert json.dumps(document, allow_nan=False) and document["under"][0]["levels"]["24/255"]["metrics"]


def test_a_budget_outside_the_range_never_runs(sizes: Cases, network: Any) -> None:
    with pytest.raises(RecipeError, match="share of the image's range"):
        compare("classify", sizes, methods=[network], attack="pgd", epsilon=["2"], threads=1)


def test_several_methods_are_tested_against_each_other_under_attack(sizes: Cases) -> None:
    class Other(Bright):
        name = "other"

        def predict(self, case: Case) -> Probabilities:
            return Probabilities(("large", "small"), (1.0, 0.0))

    made = compare("classify", sizes, methods=[Bright(), Other()], attack="square", epsilon=["0.1"], at_most=6,
                   settings={"square.queries": 30})
    assert {d.method for d in made.under} == {"bright", "other"}
    assert all(len(d.clean.cases) == 6 == len(d.levels["0.1"].cases) for d in made.under)
    assert any({t.a, t.b} == {"bright square 0.1", "other square 0.1"} for t in made.under[0].tests)
    constant = next(d for d in made.under if d.method == "other")
    assert constant.shown("0.1").value == constant.shown().value, "what looks at nothing cannot be fooled"


def test_a_smallest_change_gives_the_whole_curve_at_once(sizes: Cases, network: Any) -> None:
    made = compare("classify", sizes, methods=[network], attack="deepfool", epsilon=["0.001", "0.5", "5"], threads=1)
    values = [made.under[0].shown(level).value for level in ("", "0.001", "0.5", "5")]
    assert values[0] == values[1] >= values[2] >= values[3]


def test_regions_under_corruption_and_attack(squares: Cases) -> None:
    made = compare("segment", squares, methods=[Outlined()], corrupt=["noise", "gain"], severity=[1, 3, 5], threads=1)
    assert [d.name for d in made.under] == ["noise", "gain"] and made.under[0].lead == "3"
    noise = made.under[0]
    values = [noise.shown(level).value for level in ("", "1", "3", "5")]
    assert values[0] > values[2] > values[3] and noise.metric == ("dice", "dice")
    assert next(t for t in noise.tests).difference < 0
    attacked = compare("segment", squares, methods=[Outlined()], attack="square", epsilon=["0.1"], threads=1, at_most=3,
                       settings={"square.queries": 20})
    row = attacked.under[0]
    assert row.metric == ("robust_dice", "dice") and row.shown("0.1").value < row.shown().value


def test_masked_gradients_are_flagged_beside_the_number(sizes: Cases, network: Any) -> None:
    """A network that rounds its input has no gradient, and falls to an attack that needs none."""
    import torch

    class Masked:
        name = "masked"
        about: Mapping[str, Any] = {}

        def predict(self, case: Case) -> Any:
            return network.predict(case)

        def opened(self) -> Any:
            inside = network.opened()

            def way(case: Case) -> Any:
                passage = inside.through(case)
                return replace(passage, scores=lambda x: passage.scores(x.detach()) + 0 * torch.round(x).sum())

            return replace(inside, through=way)

    made = compare("classify", sizes, methods=[Masked()], attack="pgd", epsilon=["60/255"], threads=1,
                   settings={"pgd.steps": 2})
    (row,) = made.under
    assert "zero_gradient" in row.flags and "loss_does_not_grow" in row.flags
    assert row.shown("60/255").flags[-len(row.flags) :] == row.flags
    assert any("too weak to believe" in line for line in made.lines())
    honest = compare("classify", sizes, methods=[network], attack="pgd", epsilon=["12/255"], threads=1)
    assert "zero_gradient" not in honest.under[0].flags


def test_a_case_that_cannot_be_changed_is_a_problem(squares: Cases) -> None:
    class Picky(Outlined):
        name = "picky"

        def predict(self, case: Case) -> Segmentation:
            if case.id.endswith("23") and case.image().pixels().mean() != squares[23].image().pixels().mean():
                raise NotFoundError("not this one")
            return super().predict(case)

    made = compare("segment", squares, methods=[Picky()], corrupt=["noise"], severity=[5])
    assert made.exit_code == 3 and len(made.under[0].levels["5"].cases) == 7 == len(made.under[0].clean.cases)


def test_a_subset_is_drawn_by_the_seed(squares: Cases) -> None:
    method, test = resolve(Outlined(), task="segment"), squares.split("test")
    clean = compare("segment", squares, methods=[Outlined()]).methods
    strain = Strain("noise", ("1",))
    options: Any = {"at_most": 3, "seed": 4}
    rows = [disturbed([strain], {"outlined": method}, clean, cases=test, split="test", options=options)[0]
            for _ in range(2)]  # fmt: skip
    ids = [[c.case for c in r[0].clean.cases] for r in rows]
    assert ids[0] == ids[1] and len(ids[0]) == 3
    wrong: Any = {"at_most": 0}
    with pytest.raises(UsageError, match="1 or more"):
        disturbed([strain], {"outlined": method}, clean, cases=test, split="test", options=wrong)
    assert catalog.task("attack").metrics == ("robust_accuracy", "robust_dice")
