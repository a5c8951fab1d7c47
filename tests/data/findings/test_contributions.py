import dataclasses

import pytest

from isocenter.data.findings.contributions import Contributions


def test_shares_are_values_that_do_not_change():
    made = Contributions({"age": 0.2, "crp": -0.1}, "ill", 0.4, 0.5, "shapley")
    assert sum(made.items.values()) == pytest.approx(made.answer - made.base) and made.errors == {}
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.base = 1.0
