"""What methods of all questions share whose recipe is all there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from isocenter.data import as_settings, build
from isocenter.ops.array import Array


class Settled:
    """A frozen dataclass that holds no arrays: it is written down as its recipe alone."""

    @property
    def about(self) -> Mapping[str, Any]:
        """The recipe: it is all there is."""
        return {"recipe": as_settings(self)}

    def state(self) -> dict[str, Array]:
        """No arrays."""
        return {}

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> Self:
        """The method that `about` described."""
        made: Self = build(cls, about["recipe"])
        return made
