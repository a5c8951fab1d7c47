from __future__ import annotations

from types import SimpleNamespace

import pytest

from isocenter.errors import ResourceError
from isocenter.infer.memory import available, flight, require


@pytest.fixture
def system(tmp_path):
    def write(meminfo="", group=None, older=None):
        (tmp_path / "meminfo").write_text(meminfo)
        groups = [
            ("", ("memory.max", "memory.current"), group),
            ("memory", ("memory.limit_in_bytes", "memory.usage_in_bytes"), older),
        ]
        for folder, names, values in groups:
            (tmp_path / folder).mkdir(exist_ok=True)
            for name, value in zip(names, values or (), strict=False):
                (tmp_path / folder / name).write_text(f"{value}\n")
        return available(tmp_path, tmp_path)

    return write


MEMINFO = "MemTotal:       16000000 kB\nMemFree: 1 kB\nMemAvailable:    2000 kB\n"


def test_the_tightest_limit_counts(system):
    assert system(MEMINFO) == 2000 * 1024
    assert system(MEMINFO, group=("max", 5)) == 2000 * 1024
    assert system(MEMINFO, group=(1_000_000, 400_000)) == 600_000
    assert system(MEMINFO, group=("max", 5), older=(500_000, 400_000)) == 100_000
    assert system(MEMINFO, group=(10, 400_000)) == 0


def test_a_system_that_says_nothing(system, tmp_path):
    assert system("") is None
    assert available(tmp_path / "none", tmp_path / "none") is None


def test_this_system():
    free = available()
    assert free is None or free > 1 << 20


def test_refusal_names_both_numbers_and_what_to_do():
    with pytest.raises(ResourceError) as refused:
        require(3 << 30, what="one window of (9, 9)", remedy="Use a plan with patch (5, 5)", free=1 << 20)
    line = refused.value.line()
    assert "1.0 MiB available" in line and "3.00 GiB" in line and "patch (5, 5)" in line
    require(5, what="a", remedy="", free=5)


def test_flight_is_what_fits(monkeypatch):
    engine = SimpleNamespace(parallel=8, pixel_bytes=10)
    for free, wanted in [(None, 8), (10_000, 8), (3_500, 3), (1_000, 1)]:
        monkeypatch.setattr("isocenter.infer.memory.available", lambda free=free: free)
        assert flight(engine, (10, 10), remedy="") == wanted
    with pytest.raises(ResourceError, match="window of"):
        flight(engine, (10, 10), remedy="", extra=1)
    assert flight(lambda batch: batch, (1,), remedy="", extra=-10_000) == 1
