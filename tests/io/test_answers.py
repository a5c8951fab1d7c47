from __future__ import annotations

import csv
import json
import math

from isocenter.data import Probabilities, Value, Values
from isocenter.io import answers

PAIR = Probabilities(("normal", "肺炎"), (0.25, 0.75))


def test_probabilities_as_json_say_what_was_decided() -> None:
    document = json.loads(answers.as_json(PAIR))
    assert (document["format"], document["kind"], document["decided"]) == (1, "probabilities", ["肺炎"])
    assert [i["value"] for i in document["items"]] == [0.25, 0.75]
    assert "肺炎" in answers.as_json(PAIR)


def test_several_labels_at_once() -> None:
    document = json.loads(answers.as_json(Probabilities(("a", "b"), (0.9, 0.8), multilabel=True)))
    assert document["multilabel"] is True
    assert document["decided"] == ["a", "b"]


def test_no_nan_reaches_json() -> None:
    values = Values({"volume": Value(math.nan, "ml", -math.inf, math.inf), "area": Value(2.0, "mm2")})
    text = answers.as_json(values)
    assert "NaN" not in text and "Infinity" not in text
    items = {i["name"]: i for i in json.loads(text)["items"]}
    assert items["volume"] == {"name": "volume", "value": None, "unit": "ml", "low": None, "high": None}
    assert items["area"]["value"] == 2.0


def test_csv_has_one_row_an_item() -> None:
    rows = list(csv.DictReader(answers.as_csv(PAIR).splitlines()))
    assert [r["name"] for r in rows] == ["normal", "肺炎"]
    assert rows[1]["value"] == "0.75"
    assert "\r" not in answers.as_csv(PAIR)
