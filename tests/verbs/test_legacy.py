from __future__ import annotations

import io
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter.errors import InputError, ResourceError, UnreadableError
from isocenter.verbs import _foreign, _legacy
from isocenter.verbs._foreign import tensors
from isocenter.verbs._opcodes import KINDS

MAGIC = pickle.dumps(_legacy.MAGIC, protocol=2)
PROTOCOL = pickle.dumps(_legacy.PROTOCOL, protocol=2)
MACHINE = pickle.dumps({"protocol_version": 1001, "little_endian": True, "type_sizes": {"long": 4}}, protocol=2)
NUMBERS = np.arange(4, dtype="<f4").tobytes()


def saved(held: Any, path: Path, protocol: int = 2) -> Path:
    torch = pytest.importorskip("torch")
    torch.save(held, path, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    return path


def plain(value: Any) -> bytes:
    """The opcodes of one value, without those that begin and end a pickle."""
    return pickle.dumps(value, protocol=2)[2:-1]


def tensor(key: str = "7", count: Any = 4, *, kind: str = "Float", view: Any = None) -> bytes:
    """The opcodes of a tensor of all four numbers of a storage."""
    storage = b"(" + plain("storage") + f"ctorch\n{kind}Storage\n".encode()
    storage += plain(key) + plain("cpu") + plain(count) + plain(view) + b"tQ"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + plain(0) + plain((4,)) + plain((1,)) + b"tR"


def stream(
    path: Path, *held: bytes, keys: Any = ("7",), storages: bytes = struct.pack("<q", 4) + NUMBERS, **parts: bytes
) -> Path:
    """A file made by hand: named tensors, the keys that are listed, and what follows."""
    described = b"\x80\x02}" + b"".join(plain(f"w{i}") + one + b"s" for i, one in enumerate(held)) + b"."
    start = parts.get("magic", MAGIC) + parts.get("protocol", PROTOCOL) + parts.get("machine", MACHINE)
    path.write_bytes(start + described + pickle.dumps(list(keys), protocol=2) + storages)
    return path


class Bomb:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return (open, (str(self.trace), "w"))


def test_every_kind_of_number_comes_over_bit_by_bit(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    kinds = {
        "Double": torch.float64, "Float": torch.float32, "Half": torch.float16, "BFloat16": torch.bfloat16,
        "Long": torch.int64, "Int": torch.int32, "Short": torch.int16, "Char": torch.int8, "Byte": torch.uint8,
        "Bool": torch.bool,
    }  # fmt: skip
    assert set(kinds) == set(KINDS)
    values = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)) * 40
    held = {name: values.abs().to(kind) if name == "Byte" else values.to(kind) for name, kind in kinds.items()}
    found, left = tensors(saved(held, tmp_path / "w.pth"))
    assert left == () and set(found) == set(held)
    for name, one in held.items():
        wanted = one.float().numpy() if name == "BFloat16" else one.numpy()
        assert found[name].dtype == wanted.dtype and found[name].tobytes() == wanted.tobytes(), name


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_the_stream_and_the_zip_give_the_same(tmp_path: Path, protocol: int) -> None:
    torch = pytest.importorskip("torch")
    base = torch.arange(24.0)
    held = {
        "turned": base.reshape(2, 3, 4).transpose(0, 2), "part": base[3:7], "all": base, "every other": base[::2],
        "empty": torch.zeros(0, 4), "one": torch.tensor(3), "broad": torch.ones(1).expand(4),
        "parameter": torch.nn.Parameter(torch.ones(3)),
    }  # fmt: skip
    torch.save(held, tmp_path / "new.pth")
    new, old = tensors(tmp_path / "new.pth"), tensors(saved(held, tmp_path / "old.pth", protocol))
    assert old[1] == new[1] == () and list(old[0]) == list(new[0]) == list(held)
    for name, one in held.items():
        np.testing.assert_array_equal(old[0][name], one.detach().numpy())
        assert old[0][name].tobytes() == new[0][name].tobytes()


def test_a_checkpoint_gives_its_weights_and_names_the_rest(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    held = {"state_dict": net.state_dict(), "epoch": 3, "optimizer": torch.optim.Adam(net.parameters()).state_dict()}
    found, left = tensors(saved(held, tmp_path / "w.pth"))
    assert set(found) == set(net.state_dict()) and left == ("epoch", "optimizer")
    nested, _ = tensors(saved({"nets": [{"a": net.state_dict()}]}, tmp_path / "n.pth"))
    assert set(nested) == {f"nets.0.a.{name}" for name in net.state_dict()}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_whole_network_is_not_built(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(2, 2)
    with pytest.raises(UnreadableError, match="state_dict"):
        tensors(saved(layer, tmp_path / "net.pth"))
    found, left = tensors(saved({"state_dict": layer.state_dict(), "net": layer}, tmp_path / "both.pth"))
    assert set(found) == {"weight", "bias"} and "net" in left


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    whole = saved({"a": torch.arange(9.0), "b": torch.ones(2, 3)}, tmp_path / "w.pth").read_bytes()
    assert len(tensors(tmp_path / "w.pth")[0]) == 2
    for at in {*np.linspace(0, len(whole) - 1, 40).astype(int).tolist(), len(whole) - 1, len(whole) - 25}:
        (tmp_path / "cut.pth").write_bytes(whole[:at])
        with pytest.raises(UnreadableError):
            tensors(tmp_path / "cut.pth")


def test_changed_bytes_give_tensors_or_a_refusal(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    whole = saved({"a": torch.arange(9.0), "b": torch.ones(2, 3)}, tmp_path / "w.pth").read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        for at in rng.integers(0, len(whole), 3):
            data[at] = rng.integers(0, 256)
        (tmp_path / "changed.pth").write_bytes(data)
        try:
            assert all(len(array.tobytes()) < 1 << 16 for array in tensors(tmp_path / "changed.pth")[0].values())
        except InputError:
            refused += 1
    assert 100 < refused < 300


def test_a_stream_made_by_hand_is_read(tmp_path: Path) -> None:
    found, left = tensors(stream(tmp_path / "w.pth", tensor(), tensor()))
    assert left == () and found["w0"].tolist() == found["w1"].tolist() == [0, 1, 2, 3]
    two = struct.pack("<q", 4) + NUMBERS + struct.pack("<q", 4) + NUMBERS[::-1]
    found, _ = tensors(stream(tmp_path / "w.pth", tensor("7"), tensor("8"), keys=("8", "7"), storages=two))
    assert found["w1"].tolist() == [0, 1, 2, 3] and found["w0"].tobytes() == NUMBERS[::-1]


def test_what_lies_behind_is_named(tmp_path: Path) -> None:
    path = stream(tmp_path / "w.pth", tensor(), storages=struct.pack("<q", 4) + NUMBERS + b"more")
    assert tensors(path)[1] == ("4 bytes behind the storages",)


@pytest.mark.parametrize("count", [5, 3, 0, -1, 1 << 40, 1 << 47, 1 << 62, -(1 << 63)])
def test_counts_that_do_not_fit_are_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(UnreadableError, match="another size"):
        tensors(stream(tmp_path / "w.pth", tensor(), storages=struct.pack("<q", count) + NUMBERS))
    with pytest.raises(UnreadableError, match=r"another size|cut short|no file has"):
        tensors(stream(tmp_path / "w.pth", tensor(count=count)))
    with pytest.raises(UnreadableError, match=r"cut short|no file has|beyond its storage"):
        tensors(stream(tmp_path / "w.pth", tensor(count=count), storages=struct.pack("<q", count) + NUMBERS[:9]))


@pytest.mark.parametrize("count", [1 << 64, 1 << 2000, "four", None, 4.5, [4]])
def test_counts_that_are_none_are_refused(tmp_path: Path, count: Any) -> None:
    with pytest.raises(UnreadableError):
        tensors(stream(tmp_path / "w.pth", tensor(count=count)))


def test_what_is_not_this_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    with pytest.raises(UnreadableError, match="not a file of weights"):
        tensors(stream(path, tensor(), magic=pickle.dumps(_legacy.MAGIC + 1, protocol=2)))
    with pytest.raises(UnreadableError, match="magic number"):
        tensors(stream(path, tensor(), magic=pickle.dumps([_legacy.MAGIC], protocol=2)))
    with pytest.raises(UnreadableError, match="unknown protocol: got 1002, needed 1001"):
        tensors(stream(path, tensor(), protocol=pickle.dumps(1002, protocol=2)))
    with pytest.raises(UnreadableError, match="big-endian"):
        tensors(stream(path, tensor(), machine=pickle.dumps({"little_endian": False}, protocol=2)))
    with pytest.raises(UnreadableError, match="big-endian"):
        tensors(stream(path, tensor(), machine=pickle.dumps([], protocol=2)))
    with pytest.raises(UnreadableError, match="first versions"):
        tensors(stream(path, tensor(view=("9", 0, 4))))
    with pytest.raises(UnreadableError, match="Quantum"):
        tensors(stream(path, tensor(kind="Quantum")))
    with pytest.raises(UnreadableError, match="no tensor by name"):
        tensors(stream(path, plain(3), keys=(), storages=b""))


def test_storages_and_their_list_must_agree(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    for keys in ((), ("8",), ("7", "8"), ("7", "7")):
        with pytest.raises(UnreadableError, match="a storage is missing"):
            tensors(stream(path, tensor(), keys=keys))
    with pytest.raises(UnreadableError, match="list of storages"):
        tensors(stream(path, tensor(), keys=(["7"],)))
    with pytest.raises(UnreadableError, match="two ways"):
        tensors(stream(path, tensor(), tensor(kind="Int")))
    with pytest.raises(UnreadableError, match="two ways"):
        tensors(stream(path, tensor(), tensor(count=2)))


def test_nothing_that_the_stream_names_is_run(tmp_path: Path) -> None:
    trace, path = tmp_path / "isocenter-was-here", tmp_path / "w.pth"
    (left,) = tensors(stream(path, tensor(), plain(Bomb(trace))))[1]
    assert left in {"io.open", "_io.open"}
    called = b"cposix\nsystem\n" + plain((f"touch {trace}",)) + b"R"
    assert tensors(stream(path, tensor(), called))[1] == ("posix.system",)
    with pytest.raises(UnreadableError, match="no tensor by name"):
        tensors(saved(Bomb(trace), path))
    for part in ("magic", "protocol", "machine"):
        with pytest.raises(UnreadableError):
            tensors(stream(path, tensor(), **{part: b"\x80\x02" + called + b"." + MAGIC}))
    with pytest.raises(UnreadableError):
        tensors(stream(path, tensor(), b"\x80\x02" + called, keys=(Bomb(trace),)))
    assert not trace.exists()


def test_too_long_a_description_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stream(tmp_path / "w.pth", tensor())
    with monkeypatch.context() as small:
        small.setattr(_legacy, "PICKLE_BYTES", 200)
        with pytest.raises(ResourceError, match="over 200 B"):
            tensors(path)
    with monkeypatch.context() as few:
        few.setattr(_legacy, "ENTRIES", 1)
        with pytest.raises(ResourceError, match="more storages"):
            tensors(stream(path, tensor(), keys=("7", "8")))
    # A text that claims 2 GiB takes no more than the file has.
    with pytest.raises(UnreadableError, match="damaged"):
        tensors(stream(path, b"X\xff\xff\xff\x7f"))


def test_a_byte_is_not_blown_up(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(ResourceError, match="far larger"):
        tensors(saved({"w": torch.ones(1).expand(1 << 20, 1 << 20)}, tmp_path / "w.pth"))


def test_only_files_that_begin_with_the_magic_number_are_claimed(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    for protocol in (2, 3, 4, 5):
        assert _legacy.claims(saved({"w": torch.ones(1)}, tmp_path / "w.pth", protocol).read_bytes()[:512])
    torch.save({"w": torch.ones(1)}, tmp_path / "zip.pth")
    assert not _legacy.claims((tmp_path / "zip.pth").read_bytes()[:512])
    assert not _legacy.claims(b"") and not _legacy.claims(b"\x80\x02}.") and not _legacy.claims(MAGIC[1:])


def test_the_process_of_its_own_reads_it_too(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_foreign.sys, "stdout", said)
        patch.setattr(_foreign, "capped", lambda size: None)
        _foreign.main(str(stream(tmp_path / "w.pth", tensor())), str(tmp_path / "w.safetensors"))
    assert '"w0": ["float32", [4]]' in said.getvalue()
    assert load_file(tmp_path / "w.safetensors")["w0"].tobytes() == NUMBERS
