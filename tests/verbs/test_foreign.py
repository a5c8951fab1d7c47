from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter.errors import MissingFileError, ResourceError, UnreadableError
from isocenter.verbs._foreign import Storage, Tensor, Walk, chosen, tensors


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
    with pytest.raises(UnreadableError, match="packed"):
        tensors(archive(tmp_path / "z.pth", b"x" * 1000, packed=True))
    with pytest.raises(UnreadableError, match=r"damaged|cut short"):
        tensors(archive(tmp_path / "cut.pth", pickle.dumps({"a": [1, 2]}, protocol=2)[:-4]))


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_refused_and_never_crash(seed: int) -> None:
    data = np.random.default_rng(seed).integers(0, 256, 400, np.uint8).tobytes()
    with pytest.raises(UnreadableError):
        Walk().run(data)


def test_weights_under_no_usual_name_keep_the_whole_name() -> None:
    one = Tensor(Storage("0", "Float"), 0, (1,), (1,))
    assert set(chosen({"encoder": {"a": one}, "decoder": [one]})[0]) == {"encoder.a", "decoder.0"}


def test_an_opcode_of_objects_is_refused() -> None:
    out = io.BytesIO()
    pickle.Pickler(out, 4).dump({frozenset({1})})
    with pytest.raises(UnreadableError, match="more than weights"):
        Walk().run(out.getvalue())
