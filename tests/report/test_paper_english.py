from __future__ import annotations

from types import SimpleNamespace

from isocenter.report.paper_english import MISSING, methods_english
from isocenter.report.paper_story import Story


def silent(*what: str) -> str:
    return ""


def test_an_evaluation_reads_like_a_methods_section(papers: SimpleNamespace) -> None:
    text = methods_english(papers.story(), lambda *what: f" [{' '.join(what)}]")
    assert "24 cases of 12 subjects. The images were CT. Image size was 64 x 64 pixels, with a spacing" in text
    assert "training (12 cases, 6 subjects), validation (4 cases, 2 subjects) and test (8 cases, 4 subjects)" in text
    assert "No subject belonged to more than one set." in text
    assert "with 2 classes: ill (n = 12) and healthy (n = 12); ill was taken as positive." in text
    assert "by L2-penalised logistic regression on image features [method linear]." in text
    assert "(AUC) [metrics]." in text and "with 2000 resamples of subjects [intervals]." in text
    assert "isocenter 0.1.0 (Python 3.11.7, NumPy 2.4.6 and SciPy 1.17.1) [tools] on Linux (x86_64)" in text
    assert "the AUC of ill was (95% CI): linear, 0.750 (0.500 to 0.900)." in text
    assert all(f"- {m}" in text for m in MISSING)


def test_a_comparison_tells_tests_and_choice(papers: SimpleNamespace) -> None:
    text = methods_english(papers.comparison(), silent)
    assert "(cnn) was chosen on the validation set, before the test set was opened." in text
    assert "by a paired bootstrap and DeLong's test, with Holm's correction for multiple comparisons." in text
    assert "Difference of linear and cnn: -0.050 (-0.100 to 0.010), P = 0.042 after Holm." in text
    assert "The first method was L2-penalised" in text and "The second method was a convolutional" in text
    assert "### Models" in text and "(“cnn” in the tables)" in text and "PyTorch 2.13.0" in text


def test_a_training_tells_network_study_and_that_val_flatters(papers: SimpleNamespace) -> None:
    text = methods_english(papers.training(), silent)
    assert "The network was ResNet-18 with 32 channels in its first stage; its input was 64 × 64 pixels." in text
    assert "up to 20 epochs of 50 steps with 16 samples each, using AdamW with a peak learning rate of 0.001" in text
    assert "at random by rotation (-15 to 15 degrees) and flips." in text, "a range of one value is no augmentation"
    assert "the temperature of the probabilities (1.370) and the decision threshold (0.420)" in text
    assert "these figures are optimistic. The test set was not used in this run." in text


def test_what_is_unknown_is_said_or_left_out(papers: SimpleNamespace) -> None:
    record = papers.record()
    data = {**record["data"], "subjects_known": False, "images": {}, "left_out": {"the truth is empty": 3},
            "allow": {"leakage": "one film"}, "positive": None}
    result = {**record["result"], "n_refused": 2}
    text = methods_english(Story({**record, "data": data, "result": result}), silent)
    assert "Patients were not identified" in text and "No subject belonged" not in text
    assert "Image size" not in text and "images were" not in text and "taken as positive" not in text
    assert "3 rows of the table were left out (the truth is empty)." in text and "reason: one film." in text
    assert "2 cases could not be read or answered and were left out." in text
    assert "No scores were recorded." in methods_english(papers.story("tune", result={
        "test": None, "ranges": {}, "trials": [], "best": 0}), silent)


def test_few_subjects_and_single_cases_are_said(papers: SimpleNamespace) -> None:
    result = papers.scores()
    result["metrics"]["auc"]["healthy"]["flags"] = ["few_subjects"]
    assert "unreliable" not in methods_english(papers.story(result=result), silent), "another class leads"
    result["metrics"]["auc"]["ill"]["flags"] = ["few_subjects"]
    assert "they are unreliable, and no P values" in methods_english(papers.story(result=result), silent)
    alone = methods_english(papers.story(result={**papers.scores(), "n_subjects": 8}), silent)
    assert "each subject had one case, so Wilson's intervals" in alone


def test_sizes_that_vary_are_given_as_ranges(papers: SimpleNamespace) -> None:
    record = papers.record()
    images = {"train": {"modality": {"unknown": 2}, "size": {"64 x 64": 1, "80 x 60": 1}, "spacing": {"unknown": 2}}}
    text = methods_english(Story({**record, "data": {**record["data"], "images": images}}), silent)
    assert "Image size varied (64 to 80 x 60 to 64 pixels); the pixel spacing is not recorded in the files." in text


def test_settings_of_a_classical_method(papers: SimpleNamespace) -> None:
    recipe = {"rule": "otsu", "levels": 2, "before": {"channel": "mean", "window": None}, "name": "lung"}
    method = {**papers.method("histogram", recipe=recipe), "task": "segment"}
    result = {**papers.scores("histogram"), "notes": ["histogram read its fields off train first"]}
    text = methods_english(papers.story(methods={"histogram": method}, result=result), silent)
    assert "segmentation by histogram thresholding. The threshold followed Otsu's rule." in text
    assert "Settings: levels = 2, before.channel = mean; all others followed the defaults" in text
    off = {**method, "recipe": {**recipe, "fill": False, "texture": False}, "origins": {"texture": "--set"}}
    told = methods_english(papers.story(methods={"histogram": off}, result=result), silent)
    assert "before.channel = mean, texture = no; all others" in told, "what somebody switched off is told"
    assert "were read off the training set alone." in text
    assert "The reference standard was the segmentation masks of ill and healthy" in text


def test_a_bundle_was_trained_before(papers: SimpleNamespace) -> None:
    plan = {**papers.training().methods["cnn"]["plan"], "study": {}}
    plan["plan"] = {**plan["plan"], "normalisation": {"kind": "window", "low": -100.0, "high": 300.0}}
    method = papers.method("cnn", plan=plan, bundle="x.bundle", stopped="the time was up")
    text = methods_english(papers.story(methods={"cnn": method}), silent)
    assert "It had been trained before and was used as it was." in text and "epochs" not in text
    assert "Intensities were windowed from -100 to 300." in text and "ended early (the time was up)" in text
