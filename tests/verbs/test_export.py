from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Cases
from isocenter.errors import OutputError, UsageError
from isocenter.verbs.export import export


def test_the_network_runs_elsewhere(disc_bundle: Path, tmp_path: Path) -> None:
    import onnxruntime

    made = export(disc_bundle, tmp_path / "n.onnx")
    about = json.loads(made.sidecar.read_text(encoding="utf-8"))
    assert about["classes"] == ["background", "disc"] and about["plan"]["normalisation"]["kind"] == "rescale"
    session = onnxruntime.InferenceSession(made.network.read_bytes(), providers=["CPUExecutionProvider"])
    question = np.zeros((1, 1, 8, 8), np.float32)
    assert session.run(None, {session.get_inputs()[0].name: question})[0].shape == (1, 2, 8, 8)
    with pytest.raises(OutputError):
        export(disc_bundle, tmp_path / "n.onnx")
    export(disc_bundle, tmp_path / "n.onnx", overwrite=True)


def test_what_has_no_network(squares: Cases, disc_bundle: Path, tmp_path: Path) -> None:
    iso.train("segment", squares, method="histogram", out=tmp_path / "h.bundle", threads=1)
    with pytest.raises(UsageError, match="holds no network"):
        export(tmp_path / "h.bundle", tmp_path / "n.onnx")
    with pytest.raises(UsageError, match="ONNX"):
        export(disc_bundle, tmp_path / "n.pt")
