from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Cases
from isocenter.errors import LabelError, LeakageError, NotFoundError, OutputError, RecipeError, UsageError
from isocenter.verbs._method import resolve
from isocenter.verbs.train import train


def test_arrays_in_a_predictor_out() -> None:
    rng = np.random.default_rng(0)
    y = ["ill" if i // 2 % 2 else "healthy" for i in range(40)]
    x = np.stack([rng.normal(120 if v == "ill" else 60, 10, (16, 16)) for v in y]).astype(np.uint8)
    made = iso.train("classify", (x, y), method="linear", threads=1)
    assert made.bundle is None and made.task == "classify"
    assert any("unsplit" in n for n in made.notes) and any("patients unknown" in n for n in made.notes)
    assert made.predict(made.cases[0]).label == y[0]
    assert iso.predict(made, x[1]).label == y[1]
    scores = iso.evaluate(made, made.cases)
    assert scores.metrics["auc"]["all"].value == 1.0


def test_what_was_trained_can_be_saved_later(sizes: Cases, tmp_path: Path) -> None:
    made = train("classify", sizes, method="linear", threads=1)
    bundle = made.save(tmp_path / "s.bundle", card={"licence": "CC0"})
    again = iso.load(tmp_path / "s.bundle")
    case = sizes.split("test")[0]
    assert again.predict(case) == made.predict(case) and bundle.about["card"]["licence"] == "CC0"
    assert len(bundle.about["fingerprint"]["train"]) == 12
    with pytest.raises(OutputError):
        made.save(tmp_path / "s.bundle")


def test_a_method_of_ones_own(squares: Cases) -> None:
    class Own:
        def fit(self, train: Cases, valid: Cases, *, watch):  # type: ignore[no-untyped-def]
            assert (len(train), len(valid)) == (12, 4)
            return resolve("segment/histogram").object

    made = train("segment", squares, method=Own(), threads=1)
    assert made.scores is not None and made.scores.split == "val"


def test_seeds_keep_the_best_on_val_and_tell_the_spread(sizes: Cases, tmp_path: Path) -> None:
    made = train("classify", sizes, method="linear", seeds=3, seed=5, threads=1)
    assert list(made.seeds) == [5, 6, 7] and made.seed in made.seeds
    assert any("spread over 3 seeds" in line for line in made.lines())
    assert any("was the best on val" in n for n in made.notes)
    with pytest.raises(UsageError, match="seeds"):
        train("classify", sizes, method="linear", seeds=0)


def test_folds_beside_the_training(sizes: Cases) -> None:
    made = train("classify", sizes, method="linear", folds=3, threads=1)
    assert made.folds is not None and len(made.folds.cases) == 16, "test stays closed"


def test_a_bundle_and_its_report(squares: Cases, tmp_path: Path) -> None:
    made = train("segment", squares, method="histogram", out=tmp_path / "h.bundle", threads=1)
    assert made.bundle is not None and made.report == tmp_path / "h.report" / "report.html"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["h.bundle", "h.report"]
    document = json.loads(json.dumps(made.as_json(), allow_nan=False))
    assert document["bundle"] == str(tmp_path / "h.bundle") and document["val"]["split"] == "val"
    with pytest.raises(OutputError, match="exists"):
        train("segment", squares, method="histogram", out=tmp_path / "h.bundle")
    again = train("segment", squares, method="histogram", out=tmp_path / "h.bundle", resume=True)
    assert "complete already: nothing to resume" in again.notes
    train("segment", squares, method="histogram", out=tmp_path / "h.bundle", overwrite=True, threads=1)


def test_refusals_come_before_anything_is_written(squares: Cases, sizes: Cases, tmp_path: Path) -> None:
    out = tmp_path / "x.bundle"
    with pytest.raises(LeakageError):
        train("segment", squares.with_splits(["train", "val", "test"] * 8), method="histogram", out=out)
    with pytest.raises(NotFoundError, match="--val-from train"):
        train("classify", sizes.with_splits(["train"] * 20 + ["test"] * 4), method="linear", out=out)
    with pytest.raises(UsageError, match="nothing to learn"):
        train("segment", squares, method="given", settings={"column": "x"}, out=out)
    with pytest.raises(UsageError, match="unknown option"):
        train("segment", squares, method="histogram", out=out, seedz=2)  # type: ignore[call-arg]
    with pytest.raises(LabelError, match="unknown to train"):
        train("classify", sizes.subset([0, 1, 4, 5, 12, 13, 14, 15]), method="linear", out=out)
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_fails_is_a_warning(squares: Cases, tmp_path: Path) -> None:
    (tmp_path / "h.report").write_text("in the way")
    made = train("segment", squares, method="histogram", out=tmp_path / "h.bundle", threads=1)
    assert made.bundle is not None and made.report is None
    assert any(p.severity == "warning" and "written" in p.what for p in made.problems)


def test_an_edited_plan_is_taken(squares: Cases, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    settings = {"study.epochs": 2, "study.steps": 1, "study.patch": [16, 16], "width": 4, "study.batch_size": 2}
    plan = json.loads(json.dumps(train("segment", squares, settings=settings, threads=1).about["scheme"]))
    plan["study"]["epochs"] = 1
    (tmp_path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    made = train("segment", squares, plan=tmp_path / "plan.json", threads=1)
    assert len(made.about["history"]) == 1 and made.about["scheme"]["study"]["epochs"] == 1
    plan["study"]["epoks"] = 1
    with pytest.raises(RecipeError, match="Did you mean epochs"):
        train("segment", squares, plan=plan)


PRETRAINED = {
    "width": 4, "study.epochs": 1, "study.steps": 2, "study.batch_size": 2, "form.pretraining.epochs": 1,
    "form.pretraining.steps": 2,
}  # fmt: skip


def test_images_without_truth_serve_pretraining_or_are_left_out(squares: Cases, tmp_path: Path) -> None:
    train_at = [i for i, e in enumerate(squares.entries) if e.split == "train"]
    val_at = next(i for i, e in enumerate(squares.entries) if e.split == "val")
    few = squares.without_truth([*train_at[4:], val_at])
    n = len(train_at) - 4
    made = train("segment", few, method="unet", settings=PRETRAINED, out=tmp_path / "s.bundle", threads=1)
    assert f"{n} cases of train without truth: for pre-training alone" in made.notes
    assert made.about["pretraining"]["cases"] == len(train_at) and len(made.cases.split("val").labelled) > 0
    assert made.bundle is not None and "without truth" in made.bundle.about["card"]["pretraining"]
    assert len(made.fingerprint["train"]) == len(train_at) and made.report is not None
    assert "restored" in (tmp_path / "s.bundle" / "card.md").read_text(encoding="utf-8")
    plain = {k: v for k, v in PRETRAINED.items() if "pretraining" not in k}
    without = train("segment", few, method="unet", settings=plain, threads=1)
    assert f"{n + 1} cases without truth left out: the method learns from truth alone" in without.notes
    assert "pretraining" not in without.about and len(without.cases.split("train")) == 4


def test_a_table_with_empty_cells_of_truth_is_enough(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = ["image,mask,subject,split"]
    for i in range(9):
        mask = np.zeros((24, 24), np.uint8)
        mask[4 + i : 14 + i, 6:16] = 255
        noisy = (mask // 2 + rng.integers(20, 60, mask.shape)).astype(np.uint8)
        for name, array in ((f"i{i}.png", noisy), (f"m{i}.png", mask)):
            iso.write(iso.Image.from_array(array), tmp_path / name)
        split = ["train", "train", "train", "val", "test"][i % 5]
        rows.append(f"i{i}.png,{'' if i in (0, 5) else f'm{i}.png'},p{i},{split}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    made = train("segment", tmp_path, settings=PRETRAINED, threads=1)
    assert made.about["pretraining"]["unlabelled"] == 2 and made.cases.splits == {"train": 6, "val": 2, "test": 1}
    scores = iso.evaluate(made, tmp_path)
    assert len(scores.cases) == 1


def test_a_method_that_refuses_every_case_of_val_says_why(squares: Cases) -> None:
    class Refusing:
        def fit(self, train: Cases, valid: Cases, *, watch):  # type: ignore[no-untyped-def]
            return Fitted()

    class Fitted:
        def predict(self, case):  # type: ignore[no-untyped-def]
            raise LabelError("two answers about one region", where=case.id)

    with pytest.raises(LabelError, match=r"two answers about one region .*other case"):
        train("segment", squares, method=Refusing(), threads=1)
