from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Cases
from isocenter.errors import OutputError, ResourceError
from isocenter.verbs._bundling import facts, report_folder, vacant, workspace
from isocenter.verbs._method import resolve


def test_the_workspace_goes_when_nothing_was_left_in_it(tmp_path: Path) -> None:
    out = tmp_path / "x.bundle"
    with workspace(out, resume=False, overwrite=False) as part:
        assert part == tmp_path / "x.bundle.part"
        with pytest.raises(ResourceError, match="another run"), _elsewhere(out):
            pass
    assert list(tmp_path.iterdir()) == []


def _elsewhere(out: Path):  # type: ignore[no-untyped-def]
    """The same workspace, asked for by another thread."""
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import contextmanager

    @contextmanager
    def asked():  # type: ignore[no-untyped-def]
        def enter() -> None:
            with workspace(out, resume=True, overwrite=False):
                pass

        with ThreadPoolExecutor(1) as pool:
            pool.submit(enter).result()
        yield

    return asked()


def test_an_unfinished_run_stays_until_somebody_says(tmp_path: Path) -> None:
    out, part = tmp_path / "x.bundle", tmp_path / "x.bundle.part"
    with pytest.raises(RuntimeError), workspace(out, resume=False, overwrite=False) as folder:
        (folder / "checkpoint").write_text("half")
        raise RuntimeError
    with pytest.raises(OutputError, match="--resume"):
        vacant(out, resume=False, overwrite=False)
    with workspace(out, resume=True, overwrite=False) as folder:
        assert (folder / "checkpoint").read_text() == "half"
    with workspace(out, resume=False, overwrite=True) as folder:
        assert list(folder.iterdir()) == []
    assert not part.exists()


def test_a_bundle_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "x.bundle").mkdir()
    with pytest.raises(OutputError, match="exists"), workspace(tmp_path / "x.bundle", resume=False, overwrite=False):
        pass
    with pytest.raises(OutputError, match="no bundle"), workspace(tmp_path / "x.bundle", resume=False, overwrite=True):
        pass


def test_what_a_bundle_says_depends_on_no_clock() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 99, (4, 8, 8)).astype(np.uint8), np.ones((4, 8, 8), np.uint8)
    cases = Cases.from_arrays(x, y, task="segment", splits=["train", "train", "val", "test"], subjects=list("abcd"))
    method = resolve("segment/histogram")
    known = {"train": ["0" * 64]}
    one, two = (
        facts(method, cases, scores=None, seed=3, fingerprint=known, card={"licence": "CC BY 4.0"}) for _ in range(2)
    )
    assert one == two and one["fingerprint"] == known
    assert one["made"]["seed"] == 3 and one["made"]["codes"] == {"background": 0, "foreground": 1}
    assert one["card"]["licence"] == "CC BY 4.0" and "4 subjects" in one["card"]["data"]


def test_the_report_lies_beside() -> None:
    assert report_folder(Path("a/model")) == Path("a/model.report")
