from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from isocenter.bundle import open_bundle, reading, shipped, state
from isocenter.bundle.layout import INDEX, SEAL, seal
from isocenter.errors import BundleError, NotFoundError


def sealed(path, about):
    """Writes a bundle.json whose checksum is right: what is refused now is what it says."""
    data = json.dumps(about).encode() if isinstance(about, dict) else about
    (path / INDEX).write_bytes(data)
    (path / SEAL).write_bytes(seal(hashlib.sha256(data).hexdigest()))


def refused(path, pattern=None):
    with pytest.raises(BundleError, match=pattern) as error:
        state(open_bundle(path))
    assert error.value.exit_code == 1 and "\n" not in error.value.line()


def test_every_flipped_byte_is_refused(save):
    path = save().path
    for file in sorted(path.iterdir()):
        good = file.read_bytes()
        for at in {*range(0, len(good), max(1, len(good) // 60)), len(good) - 1}:
            for bit in (1, 0x20, 0x80):
                file.write_bytes(good[:at] + bytes([good[at] ^ bit]) + good[at + 1 :])
                with pytest.raises(BundleError):
                    open_bundle(path)
        for cut in (good[:-1], good[: len(good) // 2], b"", good + b"\n"):
            file.write_bytes(cut)
            refused(path)
        file.unlink()
        refused(path)
        file.write_bytes(good)
    open_bundle(path)


def test_a_newer_format_names_what_to_install(save):
    bundle = save()
    sealed(bundle.path, {**bundle.about, "format": 2, "made": {"isocenter": "0.9.0"}, "files": "something new"})
    refused(bundle.path, r"made by format 2.*at most 1.*Install isocenter >= 0\.9\.0")
    sealed(bundle.path, {"format": 99})
    refused(bundle.path, "made by format 99.*Install isocenter")


@pytest.mark.parametrize("value", [0, -1, "1", 1.0, True, None, [1]])
def test_no_such_format(save, value):
    bundle = save()
    sealed(bundle.path, {**bundle.about, "format": value})
    refused(bundle.path)


@pytest.mark.parametrize("key", ["task", "method", "about", "files", "made", "fingerprint"])
@pytest.mark.parametrize("value", [None, 3, []])
def test_an_index_that_lacks_a_part(save, key, value):
    bundle = save()
    sealed(bundle.path, {**bundle.about, key: value})
    refused(bundle.path, key)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"3",
        b"{",
        b"\xff\xfe",
        b'{"format": 1, "format": 1}',
        b'{"format": NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_an_index_that_is_no_object(save, data):
    path = save().path
    sealed(path, data)
    refused(path)


def test_an_index_too_large_is_not_read(save, monkeypatch):
    path = save().path
    monkeypatch.setattr(reading, "INDEX_BYTES", 100)
    refused(path, "too large")


@pytest.mark.parametrize(
    "name",
    [
        "../secret.onnx",
        "/etc/hostname",
        "a/b.onnx",
        "..",
        ".",
        "",
        "a\\b.onnx",
        "C:x.onnx",
        "bundle.json",
        "x" * 200,
        "a\0b",
    ],
)
def test_names_that_lead_elsewhere(save, name, tmp_path):
    bundle = save()
    secret = b"secret"
    (tmp_path / "secret.onnx").write_bytes(secret)
    entry = {"sha256": hashlib.sha256(secret).hexdigest(), "bytes": len(secret)}
    sealed(bundle.path, {**bundle.about, "files": {**bundle.about["files"], name: entry}})
    refused(bundle.path, "badly named")


@pytest.mark.parametrize(
    "entry",
    [None, 3, [], {}, {"bytes": "7", "sha256": ""}, {"bytes": True, "sha256": ""}, {"bytes": -1, "sha256": "0"}],
)
def test_entries_that_say_nothing(save, entry):
    bundle = save()
    sealed(bundle.path, {**bundle.about, "files": {**bundle.about["files"], "network.onnx": entry}})
    refused(bundle.path)


@pytest.mark.skipif(os.name != "posix", reason="links")
@pytest.mark.parametrize("name", ["network.onnx", "state.safetensors", "bundle.json", "bundle.sha256", "card.md"])
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_links_are_refused(save, name, link, tmp_path):
    path = save().path
    shutil.move(path / name, tmp_path / "elsewhere")
    link(tmp_path / "elsewhere", path / name)
    refused(path, "link")


@pytest.mark.skipif(os.name != "posix", reason="special files")
def test_pipes_and_folders_are_refused_at_once(save):
    path = save().path
    (path / "network.onnx").unlink()
    os.mkfifo(path / "network.onnx")
    refused(path)
    (path / "network.onnx").unlink()
    (path / "network.onnx").mkdir()
    refused(path)


def test_a_file_that_changes_after_opening(save):
    bundle = save()
    file = bundle.path / "network.onnx"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    with pytest.raises(BundleError, match="sha256"):
        state(bundle)


def test_files_nobody_named_are_not_read(save, fitted):
    path = save().path
    (path / ".DS_Store").write_bytes(b"\0")
    (path / "extra.onnx").write_bytes(b"?")
    assert state(open_bundle(path)).keys() == fitted.arrays.keys()


def test_an_external_network_is_refused_even_with_the_right_checksum(save):
    onnx = pytest.importorskip("onnx")
    bundle = save()
    file = bundle.path / "network.onnx"
    model = onnx.load(file)
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "a/../../x")
    file.write_bytes(model.SerializeToString())
    entry = {"sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "bytes": file.stat().st_size}
    sealed(bundle.path, {**bundle.about, "files": {**bundle.about["files"], "network.onnx": entry}})
    refused(bundle.path, "other files")


def test_what_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match="not a bundle"):
        open_bundle(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(BundleError, match="not a bundle"):
        open_bundle(tmp_path / "file")
    with pytest.raises(NotFoundError, match="no bundle"):
        open_bundle(tmp_path / "none")


def test_shipped_bundles_open_by_name(save, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "SHIPPED", tmp_path / "shipped")
    assert shipped() == {}
    save(tmp_path / "shipped" / "vessels")
    (tmp_path / "shipped" / "notes").mkdir()
    assert shipped() == {"vessels": tmp_path / "shipped" / "vessels"}
    monkeypatch.chdir(tmp_path)
    assert open_bundle("vessels").path == tmp_path / "shipped" / "vessels"
    with pytest.raises(NotFoundError, match="Did you mean vessels"):
        open_bundle("vesels")


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_installers_may_link_shipped_files(save, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "SHIPPED", tmp_path / "shipped")
    path = save(tmp_path / "shipped" / "vessels").path
    os.link(path / "network.onnx", tmp_path / "cache")
    open_bundle("vessels")


def test_everything_that_is_shipped_opens():
    for name in shipped():
        state(open_bundle(name))


@pytest.mark.parametrize("folder", sorted(Path(__file__).parent.glob("format_*")), ids=lambda p: p.name)
def test_bundles_of_every_released_format_are_read_and_answer(folder):
    from isocenter.data import Case, Image
    from isocenter.tasks.segment._fitted import FittedSegmenter

    bundle = open_bundle(folder)
    fitted = FittedSegmenter.from_state(bundle.about["about"], state(bundle))
    pixels = np.sin(np.arange(600.0)).reshape(20, 30)
    assert np.array_equal(fitted.predict(Case.of(Image.from_array(pixels))).labels, pixels > 0)
