"""Feature maps: what the channels of a layer make of an image, and the patches that excite each most."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Array, Case, Differentiable, NotEvaluated, knob
from isocenter.data.findings.feature_maps import FeatureMaps
from isocenter.infer.preparing import unusable
from isocenter.tasks.explain._inside import differentiable, output_of


@dataclass(frozen=True, eq=False)
class Patch:
    """A place that excites one channel.

    Parameters
    ----------
    channel
        Its number in the layer.
    value
        The channel's output there.
    case
        Identifier of the image.
    centre
        Pixel of the image (array order) at the middle of the patch.
    pixels
        What the network sees there, first channel, float32.
    """

    channel: int
    value: float
    case: str
    centre: tuple[int, ...]
    pixels: Array


@dataclass(frozen=True)
class Features:
    """The outputs of one layer, the channels that differ most over the image first.

    Sources: Zeiler, Fergus, ECCV 2014; Yosinski et al., Understanding neural networks through deep visualization, 2015.

    Raises
    ------
    RecipeError
        `of` is missing or no single network.
    """

    of: Differentiable | None = knob(None, "the fitted network to look into: a bundle")
    layer: str | None = knob(None, "module whose output is shown; None: the one that Grad-CAM uses")
    most: int = knob(15, "channels that are shown", low=1, high=4096)
    side: float = knob(0.25, "extent of an exciting patch, a share of each axis", low=0.01, high=1.0)

    def __post_init__(self) -> None:
        differentiable(self.of, who="feature maps")

    def predict(self, case: Case) -> FeatureMaps | NotEvaluated:
        """The maps on the layer's own grid; NotEvaluated where pixels are not finite.

        Raises
        ------
        NotFoundError
            There is no such layer, or its output has no grid.
        """
        found = self._output(case)
        if isinstance(found, NotEvaluated):
            return found
        _, maps, name = found
        spread = np.ptp(maps.reshape(len(maps), -1), axis=1)
        channels = np.argsort(-spread, kind="stable")[: self.most]
        return FeatureMaps(maps[channels], tuple(map(int, channels)), name, len(maps))

    def exciting(self, cases: Iterable[Case], channels: Sequence[int], *, patches: int = 5) -> dict[int, list[Patch]]:
        """For each channel the places that excite it most, one a case, the strongest first.

        Parameters
        ----------
        cases
            A small set: every one is looked at.
        channels
            Numbers in the layer.
        patches
            How many a channel.

        Raises
        ------
        NotFoundError, IndexError
            No such layer; no such channel.
        """
        best: dict[int, list[tuple[float, int, Patch]]] = {c: [] for c in channels}
        for n, case in enumerate(cases):
            found = self._output(case)
            if isinstance(found, NotEvaluated):
                continue
            seen, maps, _ = found
            for channel in channels:
                at = np.unravel_index(int(maps[channel].argmax()), maps[channel].shape)
                value = float(maps[channel][at])
                if len(best[channel]) < patches or value > best[channel][0][0]:
                    item = (value, -n, self._patch(case, seen, channel=channel, value=value, at=_along(at, maps, seen)))
                    (heapq.heappush if len(best[channel]) < patches else heapq.heappushpop)(best[channel], item)
        return {c: [p for _, _, p in sorted(items, key=lambda i: i[:2], reverse=True)] for c, items in best.items()}

    def _output(self, case: Case) -> tuple[Array, Array, str] | NotEvaluated:
        """What the network sees (c, *grid), what the layer makes of it (channels, *coarser grid), and its name."""
        assert self.of is not None
        lack = unusable(case.image().channels_first())
        if lack is not None:
            return lack
        inside = self.of.opened()
        x = inside.prepare(case).detach()
        maps, name = output_of(inside, x, self.layer)
        return x[0].numpy(), maps[0].float().numpy(), name

    def _patch(self, case: Case, seen: Array, *, channel: int, value: float, at: tuple[int, ...]) -> Patch:
        grid = seen.shape[1:]
        size = [max(1, round(self.side * n)) for n in grid]
        low = [min(max(0, a - s // 2), n - s) for a, s, n in zip(at, size, grid, strict=True)]
        where: Any = (0, *(slice(a, a + s) for a, s in zip(low, size, strict=True)))
        own = case.image().geometry.shape
        centre = tuple(int(np.clip((a + 0.5) * m / n, 0, m - 1)) for a, m, n in zip(at, own, grid, strict=True))
        return Patch(channel, value, case.id, centre, np.array(seen[where], np.float32))


def _along(at: tuple[Any, ...], maps: Array, seen: Array) -> tuple[int, ...]:
    """The pixel of the network's grid at the centre of a place of the layer's."""
    return tuple(int((int(a) + 0.5) * n / m) for a, m, n in zip(at, maps.shape[1:], seen.shape[1:], strict=True))
