"""Tissue on a stream of frames: where each pixel of the first frame is now, and whether that can be believed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array
from isocenter.ops.flow import composed, flow, inside, likeness, returning, warped

# Largest distance in pixels between the places by way of the frame before and by the first frame itself.
APART = 2.0


@dataclass(eq=False)
class Tissue:
    """The displacement of every pixel of the first frame; it holds that frame and the last that showed anything.

    The flow from frame to frame is added up, and the sum aligned with the first frame itself: where that agrees and is
    alike, small errors do not add up. A pixel is sure as long as each step was alike and came back to where it started
    (forward-backward), or when the first frame is found again.

    Parameters
    ----------
    first
        float (*grid), finite.
    window
        SD in pixels of the window of the flow.
    least
        Correlation in that window below which nothing is believed.
    back
        Largest forward-backward error of one step, in pixels.
    """

    first: Array
    window: float = 5.0
    least: float = 0.5
    back: float = 1.0
    moved: Array = field(init=False)
    sure: Array = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.first
        self.moved = np.zeros((self.first.ndim, *self.first.shape), np.float32)
        self.sure = likeness(self.first, self.first, window=self.window) > 0.5
        self.pattern = self.sure

    def step(self, frame: Array) -> tuple[Array, Array]:
        """What the next frame shows.

        Returns
        -------
        moved
            float32 (axes, *grid): from the first frame to this one, in pixels; where nothing is believed the last that
            was.
        sure
            bool (*grid).

        Raises
        ------
        InputError
            The frame has another shape than the first.
        """
        if frame.shape != self.first.shape:
            raise InputError("frames of one film differ in size", got=str(frame.shape), wanted=str(self.first.shape))
        if not np.isfinite(frame).all() or not np.ptp(frame) > 0:
            self.sure = np.zeros_like(self.sure)
            return self.moved, self.sure
        step = flow(self.before, frame, window=self.window)
        back = flow(frame, self.before, window=self.window)
        good = likeness(self.before, warped(frame, step), window=self.window) >= self.least
        good &= returning(step, back) <= self.back
        told = composed(self.moved, step)
        held = self.sure & (warped(good.astype(np.float32), self.moved) > 0.5)
        fixed = flow(self.first, frame, window=self.window, start=told)
        anchored = likeness(self.first, warped(frame, fixed), window=self.window) >= self.least
        anchored &= self.pattern & (np.sqrt(((fixed - told) ** 2).sum(axis=0)) <= APART)
        moved = np.where(anchored, fixed, told)
        sure = (held | anchored) & inside(moved)
        if sure.any():
            self.moved, self.before = moved, frame
        self.sure = sure
        return self.moved, sure

