"""Drawing the envelope of a method round the images that it learnt from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Cases, Image, Plan
from isocenter.data.turning import turned
from isocenter.errors import IsocenterError
from isocenter.infer.envelope import Envelope, looks, modality, pixel, scaled
from isocenter.ops.appearance import spread
from isocenter.ops.array import Array
from isocenter.ops.covariance import distances, shrunk, whitening

# Share of images of the same kind that the limit refuses, and the least images that can say where that is.
REFUSED, FEWEST = 0.05, 20
# From so many images on val alone sets the limit; with fewer, folds of train are asked as well.
ENOUGH, FOLDS = 40, 5
# Most images that are looked at: more change little.
MOST_TRAIN, MOST_VALID = 1000, 400
# Added to each feature's SD: what never varies in train may vary a little.
FLOOR = 0.02
# Added to each variance: of a few images that are all the same the covariance is 0.
RIDGE = 1e-3
# Normalisations to which the absolute value of a pixel says something.
ABSOLUTE = ("window", "rescale", "none")


@dataclass(frozen=True, eq=False)
class Seen:
    """What is kept of one image: its group, its rows of features, its modality, pixel in mm, and ends of its values."""

    group: str
    rows: Array
    modality: str | None
    pixel: float | None
    ends: tuple[float, float]


def enclosed(train: Cases, valid: Cases, *, plan: Plan | None = None, fewest: int = FEWEST) -> Envelope | None:
    """The envelope of what a method learnt from; None where no image of train could be looked at.

    The look of train is a mean and a shrunk covariance. The limit is the distance that 1 in 20 images of val exceeds
    (the rank is that of split conformal prediction, so the share holds for new images of the same source: Laxhammar and
    Falkman, Annals of Mathematics and Artificial Intelligence 74, 2015); with a val of less than 40 images, folds of
    train by group are asked as well; with less than `fewest` in all there is no limit.

    Parameters
    ----------
    train, valid
        The leading image of each case counts, of at most 1000 and 400, evenly taken. Truth is not read.
    plan
        Of a network: whether it looks at absolute values, and how many axes it sees at once.
    fewest
        Images that a limit rests on. Of less than 20 it is the largest distance of all, which 1 in n + 1 exceeds.
    """
    kind = plan.normalisation.kind if plan is not None else ""
    by_type = kind == "rescale"
    rank = plan.rank if plan is not None else _rank(train)
    lies = plan.orientation if plan is not None else None
    rows = list(_seen(train, rank, most=MOST_TRAIN, lies=lies, by_type=by_type))
    if not rows:
        return None
    checks = list(_seen(valid, rank, most=MOST_VALID, lies=lies, by_type=by_type))
    every = rows + checks
    codes = {row.modality for row in every}
    sizes = [row.pixel for row in every if row.pixel is not None]
    ends = np.array([row.ends for row in every])
    limit, facts, arrays = _limited(rows, checks, fewest)
    return Envelope(
        rank,
        () if None in codes else tuple(sorted(c for c in codes if c)),
        (min(sizes), max(sizes)) if len(sizes) == len(every) else None,
        (float(ends[:, 0].min()), float(ends[:, 1].max())) if kind in ABSOLUTE else None,
        lies,
        by_type,
        limit,
        facts,
        arrays if limit is not None else {},
    )


def _rank(cases: Cases) -> int:
    """The commonest number of axes among the first cases."""
    counts = Counter(image.ndim for _, image in _images(cases, most=FEWEST))
    return counts.most_common(1)[0][0] if counts else 2


def _images(cases: Cases, *, most: int) -> Iterator[tuple[str, Image]]:
    """Group and leading image of cases evenly taken; what cannot be opened, and films, are left out."""
    n = len(cases)
    for i in sorted({int(i) for i in np.linspace(0, n - 1, min(n, most))} if n else ()):
        try:
            image = cases.entries[i].open().image()
        except IsocenterError:
            continue
        if "t" not in image.axes:
            yield cases.groups[i], image


def _seen(cases: Cases, rank: int, *, most: int, lies: str | None, by_type: bool) -> Iterator[Seen]:
    for group, image in _images(cases, most=most):
        try:
            array = turned(image, lies).channels_first() if image.ndim >= rank else None
        except IsocenterError:
            continue
        if array is None or array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            continue
        rows, ends = looks(array, rank), spread(array)
        if rows and ends is not None:
            found = scaled(ends, image.dtype, by_type=by_type)
            yield Seen(group, np.stack(rows), modality(image), pixel(image), found)


def _limited(
    rows: Sequence[Seen], checks: Sequence[Seen], fewest: int
) -> tuple[float | None, dict[str, Any], dict[str, Array]]:
    """The limit, what is to be said about it, and the arrays of the look of train."""
    arrays = _look(rows)
    held = [_away(row, arrays) for row in checks]
    source = "val"
    if len(checks) < ENOUGH and len(checks) + len(rows) >= fewest:
        held += _crossed(rows)
        source = "val and folds of train" if checks else "folds of train"
    refused = round(max(REFUSED, 1 / (len(held) + 1)), 3)
    facts = {"n_train": len(rows), "n_limit": len(held), "from": source, "refused": refused}
    if len(held) < fewest:
        return None, facts, arrays
    rank = min(len(held), int(np.ceil((1 - REFUSED) * (len(held) + 1))))
    return float(np.sort(held)[rank - 1]), facts, arrays


def _crossed(rows: Sequence[Seen]) -> list[float]:
    """Distance of each image of train from the look of the folds that its group is not in."""
    names = {group: i % FOLDS for i, group in enumerate(dict.fromkeys(row.group for row in rows))}
    out: list[float] = []
    for fold in range(min(FOLDS, len(names)) if len(names) > 1 else 0):
        arrays = _look([row for row in rows if names[row.group] != fold])
        out += [_away(row, arrays) for row in rows if names[row.group] == fold]
    return out


def _look(rows: Sequence[Seen]) -> dict[str, Array]:
    """Mean, scale and whitening of all features, as float32: what a bundle keeps."""
    x = np.concatenate([row.rows for row in rows])
    mean, scale = x.mean(axis=0), np.sqrt(x.var(axis=0) + FLOOR**2)
    white = whitening(shrunk((x - mean) / scale) + RIDGE * np.eye(len(mean)))
    return {"mean": mean.astype(np.float32), "scale": scale.astype(np.float32), "white": white.astype(np.float32)}


def _away(row: Seen, arrays: dict[str, Array]) -> float:
    mean, scale = (np.asarray(arrays[name], np.float64) for name in ("mean", "scale"))
    return float(np.median(distances((row.rows - mean) / scale, arrays["white"])))
