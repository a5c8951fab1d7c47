from __future__ import annotations

import pickle
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter.errors import MissingFileError, ResourceError, UnreadableError
from isocenter.verbs._foreign import chosen, tensors
from isocenter.verbs._opcodes import Storage, Tensor


def archive(path: Path, data: bytes, *, storages: dict[str, bytes] | None = None, packed: bool = False) -> Path:
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as file:
        file.writestr("archive/data.pkl", data)
        for key, content in (storages or {}).items():
            file.writestr(f"archive/data/{key}", content)
    return path


class Bomb:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return (open, (str(self.trace), "w"))


def test_a_state_dict_comes_over_bit_by_bit(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    held = {
        "a.weight": torch.arange(24.0).reshape(2, 3, 4).transpose(0, 2), "b": torch.tensor(3, dtype=torch.int64),
        "c": torch.full((2, 2), 1.5, dtype=torch.bfloat16), "d": torch.tensor([True, False]),
        "e": torch.arange(10)[3:7], "f": torch.zeros(0, 4), "g": torch.nn.Parameter(torch.ones(3, dtype=torch.float16)),
    }
    torch.save(held, tmp_path / "w.pth")
    found, left = tensors(tmp_path / "w.pth")
    assert left == () and set(found) == set(held)
    for name, tensor in held.items():
        np.testing.assert_array_equal(
            found[name], tensor.detach().float().numpy() if name == "c" else tensor.detach().numpy()
        )
    assert found["c"].dtype == np.float32 and found["g"].dtype == np.float16


def test_a_checkpoint_gives_its_weights_and_names_the_rest(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(2, 2)
    optimiser = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    torch.save({"state_dict": layer.state_dict(), "optimiser": optimiser.state_dict(), "epoch": 3}, tmp_path / "w.pth")
    found, left = tensors(tmp_path / "w.pth")
    assert set(found) == {"weight", "bias"} and set(left) == {"optimiser", "epoch"}


def test_nothing_that_the_pickle_names_is_run(tmp_path: Path) -> None:
    trace = tmp_path / "isocenter-was-here"
    path = archive(tmp_path / "bomb.pth", pickle.dumps({"w": Bomb(trace)}, protocol=2))
    with pytest.raises(UnreadableError, match="no tensor"):
        tensors(path)
    assert not trace.exists()


def test_a_tensor_beyond_its_storage_is_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"w": torch.ones(4)}, tmp_path / "w.pth")
    with zipfile.ZipFile(tmp_path / "w.pth") as file:
        name = next(n for n in file.namelist() if n.endswith("data.pkl"))
        data = file.read(name)
    with pytest.raises(UnreadableError, match="beyond its storage"):
        tensors(archive(tmp_path / "short.pth", data, storages={"0": b"\0" * 8}))
    with pytest.raises(UnreadableError, match="storage is missing"):
        tensors(archive(tmp_path / "none.pth", data))


def test_a_byte_is_not_blown_up(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"w": torch.ones(1).expand(1 << 20, 1 << 20)}, tmp_path / "w.pth")
    with pytest.raises(ResourceError, match="far larger"):
        tensors(tmp_path / "w.pth")


def test_what_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        tensors(tmp_path / "none.pth")
    (tmp_path / "text.pth").write_bytes(b"hello")
    with pytest.raises(UnreadableError, match=r"since 1\.6"):
        tensors(tmp_path / "text.pth")
    with tarfile.open(tmp_path / "old.pth", "w") as file:
        file.add(tmp_path / "text.pth", "pickle")
    with pytest.raises(UnreadableError, match="tar archive"):
        tensors(tmp_path / "old.pth")
    with pytest.raises(UnreadableError, match="packed"):
        tensors(archive(tmp_path / "z.pth", b"x" * 1000, packed=True))
    with pytest.raises(UnreadableError, match=r"damaged|cut short"):
        tensors(archive(tmp_path / "cut.pth", pickle.dumps({"a": [1, 2]}, protocol=2)[:-4]))


def test_weights_under_no_usual_name_keep_the_whole_name() -> None:
    one = Tensor(Storage("0", "Float"), 0, (1,), (1,))
    assert set(chosen({"encoder": {"a": one}, "decoder": [one]})[0]) == {"encoder.a", "decoder.0"}


def described(shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> bytes:
    def number(value: int) -> bytes:
        return pickle.dumps(value, protocol=2)[2:-1]

    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(map(number, values)) + b"t"

    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x08tQ"
    lying = storage + number(offset) + numbers(shape) + numbers(strides)
    return b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(" + lying + b"tRs."


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((2,), (-1,), 4), ((-2,), (1,), 0), ((2,), (1,), -1), ((2,), (1 << 70,), 0), ((1,), (1 << 62,), 0),
        ((1 << 70,), (1,), 0), ((0, 1 << 47, 1 << 47), (1, 1, 1), 0), ((2,), (1,), 1 << 63), ((9,), (1,), 0),
        ((1,) * 70, (1,) * 70, 0), ((2, 2), (1,), 0), ((1,), (1,), 1 << 2000),
    ],
)  # fmt: skip
def test_sizes_that_no_tensor_has_are_refused(
    tmp_path: Path, shape: tuple[int, ...], strides: tuple[int, ...], offset: int
) -> None:
    path = archive(tmp_path / "w.pth", described(shape, strides, offset), storages={"0": b"\0" * 32})
    with pytest.raises(UnreadableError):
        tensors(path)


def test_a_tensor_is_cut_out_of_its_storage(tmp_path: Path) -> None:
    content = np.arange(8, dtype="<f4").tobytes()
    path = archive(tmp_path / "w.pth", described((2, 2), (1, 3), 1), storages={"0": content + b"\0"})
    np.testing.assert_array_equal(tensors(path)[0]["w"], [[1, 4], [2, 5]])


def test_a_list_within_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="do not end"):
        tensors(archive(tmp_path / "w.pth", b"\x80\x02]q\0h\0a."))
