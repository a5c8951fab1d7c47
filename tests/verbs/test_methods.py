from __future__ import annotations

import json

import pytest

from isocenter import catalog
from isocenter.errors import NotFoundError
from isocenter.verbs.methods import Method, Methods, methods


def test_all_questions_and_their_methods() -> None:
    found = methods()
    assert isinstance(found, Methods)
    assert set(found.tasks) == set(catalog.tasks())
    assert any("segment/histogram" in line for line in found.lines())
    assert json.loads(json.dumps(found.as_json(), allow_nan=False))["methods"]["segment"]["histogram"]


@pytest.mark.parametrize(("task", "method"), [(t, m) for t in catalog.tasks() for m in catalog.methods(t)])
def test_every_method_tells_every_field(task: str, method: str) -> None:
    found = methods(task, method)
    assert isinstance(found, Method) and found.text
    document = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert all(f["text"] for f in document["fields"]), "a field without a text"
    assert {f["name"] for f in document["fields"]} == {f.name for f in found.fields}
    assert found.lines()[-1].startswith("next: isocenter ")


def test_what_a_user_reads_holds_what_a_user_needs() -> None:
    found = methods("classify", "attributes")
    assert isinstance(found, Method) and "Koh et al." in found.about and "Raises" not in found.about
    assert "--facts COLUMNS" in found.lines()[-1]
    given = methods("classify", "given")
    assert isinstance(given, Method) and "probability" in given.about and "RecipeError" not in given.about


def test_a_range_reads_well() -> None:
    found = methods("segment/histogram")
    assert isinstance(found, Method)
    levels = next(line for line in found.lines() if line.startswith("levels"))
    assert "2 to 8" in levels and "Liao" in levels
    smallest = next(line for line in found.lines() if line.startswith("after.smallest"))
    assert "from 0 pixels" in smallest


def test_unknown_names() -> None:
    with pytest.raises(NotFoundError, match="Did you mean segment"):
        methods("segmnt")
    with pytest.raises(NotFoundError, match="Did you mean histogram"):
        methods("segment", "histgram")
