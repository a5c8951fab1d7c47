"""What explanations without a map over the image hand to the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from isocenter.data.findings.contributions import Contributions
from isocenter.ops.array import Array


@dataclass(frozen=True, eq=False)
class Shares:
    """An answer shared out.

    Parameters
    ----------
    found
        The shares.
    case
        Identifier.
    values
        Fact to its value in this case, as text.
    """

    found: Contributions
    case: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class LayerMaps:
    """Some channels of a layer beside the image.

    Parameters
    ----------
    image
        (y, x) or (y, x, 3) grey levels.
    values
        (k, *coarser grid), two axes each.
    channels
        Number of each in the layer.
    layer, total
        The layer's name and number of channels.
    case
        Identifier.
    text
        A line more, such as which slice of a volume.
    """

    image: Array
    values: Array
    channels: tuple[int, ...]
    layer: str
    total: int
    case: str = ""
    text: str = ""
