from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from isocenter.bundle import open_bundle, state, workspace, write
from isocenter.errors import BundleError, OutputError, ResourceError, UsageError


def test_a_bundle_holds_what_it_was_given(save, fitted, tmp_path):
    made = save()
    assert made.path == tmp_path / "b.bundle" and (made.task, made.method) == ("segment", "unet")
    assert {p.name for p in made.path.iterdir()} == {
        "bundle.json",
        "bundle.sha256",
        "card.md",
        "network.onnx",
        "plan.json",
        "state.safetensors",
    }
    assert os.listdir(tmp_path) == ["b.bundle"], "nothing is left beside it"
    found = open_bundle(made.path)
    assert found.about["about"] == fitted.about and found.about["parent"] is None
    assert found.about["fingerprint"]["train"] == ["ab" * 32] and found.about["made"]["seed"] == 0
    assert found.about["origins"] == {"study.epochs": "plan"}
    arrays = state(found)
    assert arrays.keys() == fitted.arrays.keys()
    for name, array in fitted.arrays.items():
        assert np.array_equal(arrays[name], array) and arrays[name].dtype == array.dtype
    assert json.loads((made.path / "plan.json").read_text()) == fitted.about["plan"]
    assert "Research use only" in (made.path / "card.md").read_text()


def test_the_plan_of_a_study_is_what_can_be_handed_back(fitted, tmp_path):
    from dataclasses import replace

    from isocenter.bundle import write

    scheme = {"format": 1, "study": {"epochs": 3}, "plan": fitted.about["plan"]}
    made = write(replace(fitted, about={**fitted.about, "scheme": scheme}), tmp_path / "s.bundle", task="a", method="b")
    assert json.loads((made.path / "plan.json").read_text()) == scheme
    bare = {k: v for k, v in fitted.about.items() if k != "plan"}
    none = write(replace(fitted, about=bare), tmp_path / "n.bundle", task="a", method="b")
    assert not (none.path / "plan.json").exists()


def test_sha256sum_accepts_the_seal(save):
    import hashlib

    made = save()
    digest, name = (made.path / "bundle.sha256").read_text().split()
    assert hashlib.sha256((made.path / name).read_bytes()).hexdigest() == digest


def test_the_same_method_gives_the_same_bytes(save, tmp_path):
    one, two = save(tmp_path / "one"), save(tmp_path / "two")
    for path in one.path.iterdir():
        assert path.read_bytes() == (two.path / path.name).read_bytes()


def test_names_may_be_chinese_and_have_blanks(save, tmp_path):
    made = save(tmp_path / "肝 脏" / "模型 1.bundle")
    assert open_bundle(made.path).task == "segment"


def test_a_folder_that_exists_is_refused_unless_told(save, tmp_path, fitted):
    first = save()
    with pytest.raises(OutputError, match="folder exists"):
        save()
    assert open_bundle(first.path).about["made"]["seed"] == 0
    assert save(overwrite=True, made={"seed": 7}).about["made"] == {"seed": 7}
    assert os.listdir(tmp_path) == ["b.bundle"]


def test_a_folder_of_something_else_is_never_replaced(save, tmp_path):
    (tmp_path / "b.bundle").mkdir()
    (tmp_path / "b.bundle" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="no bundle"):
        save(overwrite=True)
    assert (tmp_path / "b.bundle" / "thesis.txt").read_text() == "years of work"


def test_checkpoints_live_until_the_bundle_is_there(save, tmp_path):
    target = tmp_path / "b.bundle"
    with workspace(target) as part:
        assert part == tmp_path / "b.bundle.part"
        (part / "checkpoint").write_bytes(b"1")
    assert (part / "checkpoint").exists()
    with workspace(target) as part:
        assert (part / "checkpoint").exists()
        save()
        assert not part.exists()
    assert os.listdir(tmp_path) == ["b.bundle"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES])
def test_a_failing_write_leaves_the_old_bundle_and_the_checkpoint(number, save, tmp_path, monkeypatch):
    save()
    (tmp_path / "b.bundle.part").mkdir()
    (tmp_path / "b.bundle.part" / "checkpoint").write_bytes(b"1")
    calls = []

    def fsync(handle):
        calls.append(handle)
        if len(calls) == 3:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(ResourceError if number != errno.EACCES else OutputError):
        save(overwrite=True, made={"seed": 9})
    monkeypatch.undo()
    assert open_bundle(tmp_path / "b.bundle").about["made"]["seed"] == 0
    assert sorted(os.listdir(tmp_path)) == ["b.bundle", "b.bundle.part"]
    assert os.listdir(tmp_path / "b.bundle.part") == ["checkpoint"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_cannot_be_written(save, tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="cannot be written"):
            save()
    finally:
        tmp_path.chmod(0o700)


def test_a_file_in_the_way(save, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        save(tmp_path / "file" / "b.bundle")


def test_values_that_no_json_holds(save):
    assert save(made={"when": (1, 2), "loss": float("nan"), "n": np.int64(3)}).about["made"] == {
        "when": [1, 2],
        "loss": None,
        "n": 3,
    }
    with pytest.raises(OutputError, match="not a value"):
        save(overwrite=True, made={"object": object()})


def test_unknown_facts_and_bad_network_names(save, fitted):
    with pytest.raises(UsageError, match="Did you mean origins"):
        save(orgins={})
    fitted.arrays["../evil.onnx"] = fitted.arrays["network.onnx"]
    with pytest.raises(OutputError, match="evil"):
        save()


def test_a_second_writer_is_refused(save, tmp_path, fitted):
    refused = []

    def second():
        try:
            save()
        except ResourceError as error:
            refused.append(error.line())

    with workspace(tmp_path / "b.bundle"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert len(refused) == 1 and "another run is writing" in refused[0] and "b.bundle" in refused[0]
    assert not (tmp_path / "b.bundle").exists()
    save()


def die_while_writing(target: str, fitted_about: dict, ready) -> None:
    with workspace(target) as part:
        (Path(part) / "bundle").mkdir()
        (Path(part) / "bundle" / "bundle.json").write_text("{")
        ready.set()
        signal.pause()


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_writer_leaves_no_bundle_and_no_lock(save, tmp_path):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    child = context.Process(target=die_while_writing, args=(str(tmp_path / "b.bundle"), {}, ready))
    child.start()
    assert ready.wait(20)
    with pytest.raises(ResourceError, match="another run"):
        save()
    child.kill()
    child.join()
    assert not (tmp_path / "b.bundle").exists()
    save()
    assert os.listdir(tmp_path) == ["b.bundle"]


def test_an_external_network_is_not_written(fitted, tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(fitted.arrays["network.onnx"].tobytes())
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "weights.bin")
    fitted.arrays["network.onnx"] = np.frombuffer(model.SerializeToString(), np.uint8)
    with pytest.raises(BundleError, match="other files"):
        write(fitted, tmp_path / "b", task="segment", method="unet")
    assert not list(tmp_path.iterdir())
