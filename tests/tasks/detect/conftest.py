from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from isocenter.data import Boxes, Case, Cases, Entry, Image

CLASSES = ("big", "small")


def picture(
    seed: int, *, rank: int = 2, colour: bool = False, dark: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels uint8 with discs of two sizes that do not touch, their edges and labels."""
    rng = np.random.default_rng([seed, rank])
    shape = (64, 80) if rank == 2 else (24, 40, 40)
    value, edges, labels, free = np.zeros(shape), [], [], np.ones(shape, bool)
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), -1)
    for label, radius, wanted in ((0, 8.0 if rank == 2 else 6.0, 2), (1, 3.0, 4)):
        for _ in range(wanted * 20):
            if labels.count(label) == wanted:
                break
            centre = np.round(rng.uniform(radius + 1, np.asarray(shape) - radius - 2))
            away = np.sqrt(((grid - centre) ** 2).sum(-1))
            if not free[away <= radius + 2].all():
                continue
            free &= away > radius + 2
            value[away <= radius] = 1.0
            edges.append((centre - radius - 0.5, centre + radius + 0.5))
            labels.append(label)
    value = 60 + 120 * (1 - value if dark else value) + rng.normal(0, 6, shape)
    pixels = value.clip(0, 255).astype(np.uint8)
    if colour:
        pixels = np.stack([pixels, 255 - pixels, np.full_like(pixels, 90)])
    return pixels, np.array(edges).reshape(-1, 2, rank), np.array(labels, np.int64)


@pytest.fixture(scope="session")
def made() -> Callable[..., Cases]:
    """Pictures of discs in two sizes as cases of detect: ``made(n, rank=2, colour=False, dark=False)``."""

    def make(n: int = 10, **how: object) -> Cases:
        entries = []
        for i in range(n):
            pixels, edges, labels = picture(i, **how)
            axes = "cyx" if how.get("colour") else "zyx"[-int(how.get("rank", 2)) :]
            image = Image.from_array(pixels, axes=axes)
            truth = Boxes(edges, labels, CLASSES, image.geometry)
            split = "train" if i < n - 4 else "val" if i < n - 2 else "test"
            case = Case(f"c{i}", {"image": image}, split=split, load_truth=lambda truth=truth: truth)
            entries.append(Entry(case.id, lambda case=case: case, split=split))
        return Cases(tuple(entries), "discs", "detect", CLASSES, tasks=("detect",))

    return make


@pytest.fixture(scope="session")
def share_found() -> Callable[..., float]:
    """F1 of the boxes with a score of at least 0.5 against the truth at IoU 0.5, mean over classes."""
    from isocenter.metrics.detect import found
    from isocenter.tasks.detect._choose import f1

    def measure(method: object, cases: Cases) -> float:
        answers = [(method.predict(c), c.truth()) for c in cases]
        return f1([dict(found(a.chosen(a.scores >= 0.5), t).classes) for a, t in answers], CLASSES)

    return measure


ODD = {
    "one pixel": np.full((1, 1), 7, np.uint8),
    "a row": np.array([[1, 2, 3]], np.uint16),
    "constant": np.full((32, 40), 40.0),
    "zero": np.zeros((32, 40), np.int16),
    "huge": np.random.default_rng(0).random((32, 40)) * 1e9,
    "16 bits": (np.random.default_rng(1).random((33, 47)) * 65535).astype(np.uint16),
    "bool": np.eye(20, dtype=bool),
}


@pytest.fixture(params=list(ODD))
def odd(request: pytest.FixtureRequest) -> Image:
    """Images that hold nothing, or next to nothing, or are of an unusual kind."""
    return Image.from_array(ODD[request.param])
