from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import pytest

from isocenter.errors import MissingFileError, OutputError, UnreadableError, UsageError
from isocenter.verbs.convert import convert


def test_weights_come_over_in_a_process_of_their_own(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.numpy import load_file

    layer = torch.nn.Conv2d(1, 2, 3)
    torch.save(layer.state_dict(), tmp_path / "w.pth")
    made = convert(tmp_path / "w.pth", tmp_path / "w.safetensors")
    assert made.tensors["weight"] == ("float32", (2, 1, 3, 3)) and made.as_json()["left_out"] == []
    assert (load_file(tmp_path / "w.safetensors")["weight"] == layer.weight.detach().numpy()).all()
    with pytest.raises(OutputError, match="--overwrite"):
        convert(tmp_path / "w.pth", tmp_path / "w.safetensors")
    convert(tmp_path / "w.pth", tmp_path / "w.safetensors", overwrite=True)


def test_refusals_come_back_from_the_child_with_their_kind(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="safetensors"):
        convert(tmp_path / "w.pth", tmp_path / "w.bin")
    with pytest.raises(MissingFileError):
        convert(tmp_path / "w.pth", tmp_path / "w.safetensors")
    (tmp_path / "w.pth").write_bytes(b"x")
    with pytest.raises(UnreadableError):
        convert(tmp_path / "w.pth", tmp_path / "w.safetensors")
    assert not (tmp_path / "w.safetensors").exists()


def test_lists_within_lists_end_by_the_clock_or_the_stack_not_by_the_machine(tmp_path: Path) -> None:
    nested: object = 0
    for _ in range(3000):
        nested = [nested]
    # Written opcode by opcode: the pickle module itself would not nest so deep.
    data = b"\x80\x02" + b"]" * 3000 + b"a" * 2999 + b"."
    assert pickle.loads(b"\x80\x02]].") == []
    with zipfile.ZipFile(tmp_path / "deep.pth", "w") as file:
        file.writestr("a/data.pkl", data)
    with pytest.raises(UnreadableError):
        convert(tmp_path / "deep.pth", tmp_path / "w.safetensors")


def test_the_format_before_1_6_is_taken_over_and_cut_short_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    layer = torch.nn.Conv2d(1, 2, 3)
    torch.save(layer.state_dict(), tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    made = convert(tmp_path / "w.pth", tmp_path / "w.safetensors")
    assert made.tensors == {"weight": ("float32", (2, 1, 3, 3)), "bias": ("float32", (2,))} and made.left == ()
    (tmp_path / "w.pth").write_bytes((tmp_path / "w.pth").read_bytes()[:-1])
    with pytest.raises(UnreadableError, match="cut short"):
        convert(tmp_path / "w.pth", tmp_path / "cut.safetensors")
    assert not (tmp_path / "cut.safetensors").exists()
