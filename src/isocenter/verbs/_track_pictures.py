"""A film with its tracks as one picture for a report."""

from __future__ import annotations

import numpy as np

from isocenter.data import Array, Case, Tracks
from isocenter.io.overlay_film import pictures
from isocenter.report import Picture

# Frames side by side in a report's picture; the longest side of each; pixels between them.
SHOWN, SIDE, GAP = 3, 320, 6


def strip(found: Tracks, case: Case, *, count: int, side: int) -> Array:
    """Frames with their tracks side by side, (y, x, 3) uint8, evenly from the first of the film to its last.

    Parameters
    ----------
    count
        Of frames.
    side
        Longest side of a frame, in pixels.
    """
    places = np.linspace(0, found.length - 1, min(count, found.length)).round().astype(int)
    drawn = list(pictures(case.image(), found, side=side, only=set(places.tolist())))
    gap = np.full((drawn[0].shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([part for picture in drawn for part in (picture, gap)][:-1], axis=1)


def tracks_picture(case: Case, answer: Tracks) -> Picture:
    """The answer's tracks, and below them those of the truth where there is one; raises as `overlay_film.pictures`."""
    truth, text = case.truth(), counts(answer)
    shown = strip(answer, case, count=SHOWN, side=SIDE)
    if isinstance(truth, Tracks):
        told = strip(truth, case, count=SHOWN, side=SIDE)
        shown = np.concatenate([shown, np.full((GAP, shown.shape[1], 3), 255, np.uint8), told])
        text = f"above: answer, {text}; below: truth, {counts(truth)}"
    return Picture(shown, case=case.id, text=text)


def counts(found: Tracks) -> str:
    """How many tracks and divisions, in words.

    >>> from isocenter.data import Geometry
    >>> counts(Tracks.none(Geometry((9, 9)), 3))
    '0 tracks, 0 divisions'
    """
    tracks, parted = len(found.tracks), len(found.children())
    return f"{tracks} track{'s' * (tracks != 1)}, {parted} division{'s' * (parted != 1)}"
