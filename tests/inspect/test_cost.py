from __future__ import annotations

import json

import pytest

from isocenter.inspect.cost import Cost, duration, estimate, gigaflops


@pytest.mark.parametrize("method", ["unet", "contours", "cnn", "histogram"])
@pytest.mark.parametrize("shape", [(256, 256), (40, 56, 40)])
def test_every_method_has_a_price(method: str, shape: tuple[int, ...]) -> None:
    cost = estimate(method, shape=shape, n_train=100)
    assert 0 < cost.case_seconds < cost.train_seconds and 50 < cost.memory_mb < 1e5
    assert len(cost.halving) == 3 and len(set(cost.halving)) == 3
    assert "estimate" in cost.text and json.dumps(cost.as_json(), allow_nan=False)


@pytest.mark.parametrize("method", ["yolo", "ssd", "retinanet"])
def test_detectors_see_images_whole_and_no_larger_than_they_search(method: str) -> None:
    small, large = (estimate(method, shape=(side, side), n_train=50) for side in (416, 1664))
    assert large.memory_mb == small.memory_mb
    assert large.case_seconds == pytest.approx(small.case_seconds, rel=0.5)
    assert all("study.patch" not in h for h in small.halving)


def test_of_a_network_that_is_not_counted_nothing_is_said() -> None:
    assert estimate("mask_rcnn", shape=(256, 256), n_train=10, network=True) is None
    assert estimate("yolo", shape=(64, 64, 64), n_train=10, network=True) is None
    assert estimate("unet", shape=(256, 256), n_train=10, network=True) is not None


def test_networks_cost_more_than_filters() -> None:
    unet, otsu = (estimate(m, shape=(512, 512), n_train=50) for m in ("unet", "histogram"))
    assert unet.case_seconds > 3 * otsu.case_seconds and unet.memory_mb > otsu.memory_mb


def test_it_grows_with_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    # The speed of the machine is measured anew each time; here only the counting is of interest.
    monkeypatch.setattr("isocenter.inspect.cost.gigaflops", lambda: 50.0)

    def cost(n: int, side: int) -> Cost:
        return estimate("cnn", shape=(side, side), n_train=n)

    assert cost(2000, 128).train_seconds == pytest.approx(2 * cost(1000, 128).train_seconds, rel=0.05)
    assert cost(1000, 128).case_seconds == pytest.approx(4 * cost(1000, 64).case_seconds)
    # Classification works on at most 224 pixels.
    assert cost(1000, 2048).case_seconds == pytest.approx(cost(1000, 224).case_seconds)


def test_the_speed_is_measured() -> None:
    assert 0.1 < gigaflops() < 1e5


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0001, "1 ms"), (0.25, "250 ms"), (3.2, "3 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


# Peaks of trainings as docs/results/ROW.json tells them.
MEASURED = [
    ("unet", (256, 256), 165, 1, 1070.0),
    ("unet", (500, 500), 44, 1, 966.5),
    ("unet", (36, 50, 35), 160, 1, 685.7),
    ("unet", (960, 999), 14, 3, 1224.8),
    ("contours", (256, 256), 146, 3, 1180.7),
    ("yolo", (480, 640), 205, 3, 1357.0),
]


@pytest.mark.parametrize(("method", "shape", "n", "channels", "peak"), MEASURED)
def test_memory_is_what_trainings_took(
    method: str, shape: tuple[int, ...], n: int, channels: int, peak: float
) -> None:
    cost = estimate(method, shape=shape, n_train=n, network=True, channels=channels)
    assert cost is not None
    assert cost.memory_mb == pytest.approx(peak, rel=0.3)
