from __future__ import annotations

import dataclasses

import pytest

from isocenter.report import Run, Searched


def test_a_run_carries_its_search_unchanged() -> None:
    found = Searched([{"trial": 0, "score": 0.5}], 0, "auc all", {"width": 1.0}, {"width": "4 to 64"})
    assert Run("t", search=found).search is found and Run("t").search is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.best = 1  # type: ignore[misc]
