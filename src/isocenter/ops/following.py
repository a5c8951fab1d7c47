"""One target followed from frame to frame: correlation in a gated window, fractions of a pixel, drift controlled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array
from isocenter.ops.correlation import normalised_correlation
from isocenter.ops.linking import VELOCITY

# How much of the speed is taken anew at each step.
FRESH = 0.5
# Of the alignment: steps, the one that ends it, and how far from its start it may lead, in pixels.
STEPS, SMALL, FAR = 20, 0.005, 2.0
# Beside the patch, so that the spline of its border rests on pixels.
RIM = 4


@dataclass(frozen=True)
class Chase:
    """How a target is followed.

    Parameters
    ----------
    motion
        ``"nearest"``: looked for where it was; ``"velocity"``: where its speed takes it.
    reach
        Largest distance from there after one unit of time, in pixels; None: half the target's longest side, at least 8.
    least
        Correlation coefficient below which nothing was seen.
    back
        Largest distance in pixels between where a target was and where it is found from the next frame backwards.
    apart
        Largest distance in pixels between the places that the present and the first template give, if the present one
        is to be taken anew; at most 2, beyond which no alignment leads.
    """

    motion: str = VELOCITY
    reach: float | None = None
    least: float = 0.5
    back: float = 2.0
    apart: float = 2.0


@dataclass(frozen=True, eq=False)
class Sight:
    """What was seen of a target in one frame.

    Parameters
    ----------
    place
        float64 (axes,): centre as an index; None where it was not seen.
    score
        Correlation coefficient of the best place, with the present template; while lost, with the first.
    anchor
        Correlation coefficient with the first template where the target lies; NaN where it was not seen.
    error
        Forward-backward error in pixels; infinite where nothing could be looked for.
    """

    place: Array | None
    score: float
    anchor: float
    error: float


@dataclass(eq=False)
class Pursuit:
    """A target on a stream of frames, all of one shape; it holds the first frame and the last in which it was seen.

    The template of the present is correlated with a window about the place that motion foretells; the best place is
    aligned to fractions of a pixel and looked for backwards in the frame before (forward-backward error). It is then
    aligned with the first template: where both agree, and nothing in the window is more like the first, the place is
    that of the first and the present template is taken anew there, so that small errors do not add up; otherwise it
    stays. What is not alike enough, lies on the border of its window or is not found backwards is lost: it has no place
    until the first template is found again in a window that grows, much more alike (half-way to 1) than anything within
    that reach of the target was in the first frame, and is found backwards there.

    Sources: Lewis, Vision Interface 1995 (correlation); Matthews, Ishikawa and Baker, IEEE TPAMI 26 (2004) 810,
    strategy 3 (drift); Kalal, Mikolajczyk and Matas, ICPR 2010 (forward-backward error).

    Parameters
    ----------
    frame
        (c, *grid), finite: the first.
    place
        float (axes,): centre of the target as an index.
    size
        Pixels per axis, 3 and more.
    rules
        How it is followed.

    Raises
    ------
    InputError
        The centre lies outside the image.
    """

    frame: Array
    place: Array
    size: tuple[int, ...]
    rules: Chase = Chase()
    first: Array = field(init=False)
    template: Array = field(init=False)

    def __post_init__(self) -> None:
        grid = np.asarray(self.frame.shape[1:])
        self.place = np.asarray(self.place, np.float64)
        if not ((self.place >= -0.5) & (self.place <= grid - 0.5)).all():
            raise InputError("the target lies outside the image", got=str(np.round(self.place, 1).tolist()),
                             wanted=f"an index within {tuple(grid.tolist())}")
        self.first = self.template = patch(self.frame, self.place, self.size)
        self.start = self.place
        self.before = self.frame
        self.speed = np.zeros(len(grid))
        self.gone = 0.0
        self.lost = False
        self.reach = max(8.0, max(self.size) / 2) if self.rules.reach is None else self.rules.reach
        self.alike = _alike(self.frame, self.first, self.place)

    @property
    def flat(self) -> bool:
        """Whether the first template holds nothing that could be found again."""
        return not bool(self.first.std() > 1e-6 * max(1.0, float(np.abs(self.first).max())))

    def elsewhere(self, reach: float) -> float:
        """The greatest correlation with the first template within reach of it in its own frame, beside itself."""
        corner = self.start - (np.asarray(self.size) - 1) / 2
        return float(self.alike[_about(corner, np.full(len(corner), reach))].max(initial=0.0))

    def step(self, frame: Array, lasted: float = 1.0) -> Sight:
        """What is seen in the next frame; `lasted` is the time since the one before.

        Raises
        ------
        InputError
            The frame has another shape than the first.
        """
        if frame.shape != self.frame.shape:
            raise InputError("frames of one film differ in size", got=str(frame.shape), wanted=str(self.frame.shape))
        self.gone += lasted
        if not np.isfinite(frame).all():
            self.lost = True
            return Sight(None, 0.0, float("nan"), float("inf"))
        sight = self._again(frame) if self.lost else self._next(frame)
        self.lost = sight.place is None
        if sight.place is not None:
            moved = (sight.place - self.place) / self.gone
            self.speed = self.speed + FRESH * (moved - self.speed) if self.rules.motion == VELOCITY else self.speed
            self.place, self.before, self.gone = sight.place, frame, 0.0
        else:
            self.speed = np.zeros_like(self.speed)
        return sight

    def _next(self, frame: Array) -> Sight:
        """Where the target is, if it was there in the frame before."""
        rules, reach = self.rules, self.reach * self.gone
        found = _searched(frame, self.template, self.place + self.speed * self.gone, reach)
        if found is None or found[1] < rules.least:
            return _unseen(found)
        place, score = aligned(frame, self.template, found[0])
        error = self._backwards(self.before, patch(frame, place, self.size), self.place, reach)
        if score < rules.least or error > rules.back:
            return Sight(None, score, float("nan"), error)
        fixed, anchor = aligned(frame, self.first, place)
        if anchor < rules.least or float(np.linalg.norm(fixed - place)) > rules.apart:
            return Sight(place, score, anchor, error)
        rival = _searched(frame, self.first, place, reach)
        if rival is not None and rival[1] > anchor and float(np.linalg.norm(rival[0] - place)) > rules.apart + 1:
            return Sight(place, score, anchor, error)
        # What reaches beyond the border shows the border's pixels there: no template.
        off = np.minimum(fixed, np.asarray(frame.shape[1:]) - 1 - fixed) - (np.asarray(self.size) - 1) / 2
        self.template = patch(frame, fixed, self.size) if off.min() > -0.5 else self.template
        return Sight(fixed, score, anchor, error)

    def _again(self, frame: Array) -> Sight:
        """Where the target is, if it is there again."""
        reach = self.reach * self.gone
        found = _searched(frame, self.first, self.place, reach)
        least = max(self.rules.least, (1 + self.elsewhere(reach)) / 2)
        if found is None or found[1] < least:
            return _unseen(found)
        place, score = aligned(frame, self.first, found[0])
        error = self._backwards(self.frame, patch(frame, place, self.size), self.start, reach)
        if score < least or error > self.rules.back:
            return Sight(None, score, float("nan"), error)
        self.template = patch(frame, place, self.size)
        return Sight(place, score, score, error)

    def _backwards(self, earlier: Array, template: Array, place: Array, reach: float) -> float:
        found = _searched(earlier, template, place, reach)
        return float("inf") if found is None else float(np.linalg.norm(found[0] - place))


def patch(frame: Array, place: Array, size: Sequence[int]) -> Array:
    """The pixels about a place, by cubic splines; beyond the border the nearest pixel's.

    Parameters
    ----------
    frame
        (c, *grid).
    place
        Centre as an index, fractional.
    size
        Pixels per axis.

    Returns
    -------
    float32 (c, *size).
    """
    low = np.floor(np.asarray(place) - (np.asarray(size) - 1) / 2).astype(int)
    return _sampled(*_splines(frame, low, size), place, size)


def aligned(frame: Array, template: Array, start: Array) -> tuple[Array, float]:
    """The place near `start` where the frame looks most like a template, and the correlation coefficient there.

    Gauss-Newton steps on the correlation coefficient over all channels, each less its mean; what leads farther than 2
    pixels from the start, or does no better, ends at the start.

    Source: Evangelidis and Psarakis, IEEE TPAMI 30 (2008) 1858, for translations.

    Parameters
    ----------
    frame
        (c, *grid).
    template
        (c, *size).
    start
        float (axes,): centre as an index.
    """
    size = template.shape[1:]
    low = np.floor(np.asarray(start) - (np.asarray(size) - 1) / 2).astype(int)
    splines, corner = _splines(frame, low, size, rim=RIM + int(FAR))
    wanted, length = _centred(template)
    place = best = np.asarray(start, np.float64)
    top = -1.0
    for _ in range(STEPS if length > 0 else 0):
        values = _sampled(splines, corner, place, size)
        seen, own = _centred(values)
        score = float(wanted @ seen / (length * own)) if own > 0 else -1.0
        if score > top:
            top, best = score, place
        step = _step(values, seen, wanted) if own > 0 else None
        if step is None or np.linalg.norm(place + step - start) > FAR:
            break
        place = place + step
        if np.abs(step).max() < SMALL:
            break
    return best, top


def _step(values: Array, seen: Array, wanted: Array) -> Array | None:
    """The step that makes what is seen most like what is wanted, both less their means; None where none is known."""
    slopes = np.stack([_centred(np.gradient(values, axis=a))[0] for a in range(1, values.ndim)], axis=1)
    normal = slopes.T @ slopes
    try:
        inverse = np.linalg.inv(normal)
    except np.linalg.LinAlgError:
        return None
    along, across = slopes.T @ seen, slopes.T @ wanted
    below = float(wanted @ seen - across @ inverse @ along)
    if not below > 0:
        return None
    gain = float(seen @ seen - along @ inverse @ along) / below
    step = inverse @ (gain * across - along)
    return step if np.isfinite(step).all() else None


def _searched(frame: Array, template: Array, centre: Array, reach: float) -> tuple[Array, float] | None:
    """The most alike place within reach and its correlation; None where it lies on the border of what was looked at."""
    grid, size = np.asarray(frame.shape[1:]), np.asarray(template.shape[1:])
    half = (size - 1) / 2
    # The middle of the target stays inside the image; one place more on each side shows whether it does.
    low = np.maximum(np.floor(centre - reach), 0) - 1
    high = np.minimum(np.ceil(centre + reach), grid - 1) + 1
    if (high - low < 2).any():
        return None
    start = np.floor(low - half).astype(int)
    window = _window(frame, start, (high - low).astype(int) + size)
    surface = normalised_correlation(window, template)
    peak = np.unravel_index(int(surface.argmax()), surface.shape)
    score = float(surface[peak])
    if any(p in (0, n - 1) for p, n in zip(peak, surface.shape, strict=True)):
        return None
    return start + half + np.asarray(peak) + _fraction(surface, peak), score


def _unseen(found: tuple[Array, float] | None) -> Sight:
    return Sight(None, 0.0 if found is None else found[1], float("nan"), float("inf"))


def _fraction(surface: Array, peak: tuple[np.intp, ...]) -> Array:
    """Where between pixels the top of a parabola along each axis lies, (axes,) in [-0.5, 0.5]."""
    out = np.zeros(surface.ndim)
    for axis in range(surface.ndim):
        at = list(peak)
        sides = []
        for offset in (-1, 1):
            at[axis] = peak[axis] + offset
            sides.append(float(surface[tuple(at)]))
        curve = sides[0] - 2 * float(surface[peak]) + sides[1]
        out[axis] = 0.5 * (sides[0] - sides[1]) / curve if curve < 0 else 0.0
    return np.clip(out, -0.5, 0.5)


def _alike(frame: Array, template: Array, place: Array) -> Array:
    """How alike each place of the first frame is to the template, 0 about the target itself; float32 (*fewer)."""
    size = np.asarray(template.shape[1:])
    if (size > frame.shape[1:]).any():
        return np.zeros((1,) * len(size), np.float32)
    surface = normalised_correlation(frame, template).astype(np.float32)
    corner = place - (size - 1) / 2
    surface[_about(corner, size / 2)] = 0.0
    return surface


def _about(centre: Array, reach: Array) -> tuple[slice, ...]:
    low = np.maximum(np.ceil(centre - reach), 0).astype(int)
    high = np.maximum(np.floor(centre + reach) + 1, 0).astype(int)
    return tuple(slice(a, b) for a, b in zip(low, high, strict=True))


def _window(frame: Array, start: Array, size: Sequence[int] | Array) -> Array:
    """A window of (c, *grid); beyond the border the nearest pixels."""
    grid = frame.shape[1:]
    if all(s >= 0 and s + n <= g for s, n, g in zip(start, size, grid, strict=True)):
        return np.asarray(frame[(slice(None), *(slice(s, s + n) for s, n in zip(start, size, strict=True)))])
    at = [np.clip(np.arange(s, s + n), 0, g - 1) for s, n, g in zip(start, size, grid, strict=True)]
    return np.asarray(frame[np.ix_(np.arange(len(frame)), *at)])


def _splines(frame: Array, low: Array, size: Sequence[int], rim: int = RIM) -> tuple[Array, Array]:
    """Cubic B-spline coefficients (c, *wider) about a patch that begins at `low`, and their corner."""
    from scipy import ndimage

    corner = low - rim
    window = _window(frame, corner, [n + 2 * rim + 1 for n in size]).astype(np.float32)
    for axis in range(1, window.ndim):
        window = ndimage.spline_filter1d(window, 3, axis, output=np.float32, mode="mirror")
    return window, corner


def _sampled(splines: Array, corner: Array, place: Array, size: Sequence[int]) -> Array:
    """Values of a patch about a place: its grid is even, so that one weight an axis serves all its pixels."""
    out = splines
    for axis, (p, n, c) in enumerate(zip(place, size, corner, strict=True), start=1):
        low = float(p) - (n - 1) / 2 - float(c)
        base = int(np.floor(low))
        part = low - base
        weights = (
            (1 - part) ** 3 / 6, 2 / 3 - part**2 * (2 - part) / 2,
            2 / 3 - (1 - part) ** 2 * (1 + part) / 2, part**3 / 6,
        )  # fmt: skip
        lead = (slice(None),) * axis
        total: Array = np.zeros(1, np.float32)
        for offset, weight in zip(range(-1, 3), weights, strict=True):
            total = total + np.float32(weight) * out[(*lead, slice(base + offset, base + offset + n))]
        out = total
    return out


def _centred(values: Array) -> tuple[Array, float]:
    """float64 (c * pixels,) less each channel's mean, and its length."""
    flat = values.reshape(len(values), -1).astype(np.float64)
    flat = (flat - flat.mean(axis=1, keepdims=True)).ravel()
    return flat, float(np.sqrt(flat @ flat))
