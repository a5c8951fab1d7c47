"""What the channels of one layer of a network make of an image."""

from __future__ import annotations

from dataclasses import dataclass

from isocenter.errors import LabelError
from isocenter.ops.array import Array


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """Some channels of one layer.

    Parameters
    ----------
    values
        float32 (k, *grid): the output of each channel, on the layer's own (coarser) grid.
    channels
        int (k,): their numbers in the layer, as they are shown.
    layer
        Name of the module.
    total
        Number of channels that the layer has.

    Raises
    ------
    LabelError
        Maps and numbers differ in number.
    """

    values: Array
    channels: tuple[int, ...]
    layer: str
    total: int

    def __post_init__(self) -> None:
        if len(self.values) != len(self.channels) or len(self.channels) > self.total:
            raise LabelError("maps and channels differ in number", got=f"{len(self.values)} and {len(self.channels)}")
