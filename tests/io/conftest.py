"""What the tests of readers and writers share: small files made on the spot."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SERIES = "1.2.826.0.1.3680043.8.498.1"
# Planted in every DICOM file made here; it must appear in no message and no repr.
SURNAME = "Plantedname"


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers of a fixed seed."""
    return np.random.default_rng(0)


@pytest.fixture
def surname() -> str:
    """The patient's name in every DICOM file that `dicom` makes."""
    return SURNAME


@pytest.fixture
def dicom() -> Callable[..., Path]:
    """Writes one uncompressed DICOM file: ``dicom(path, array, Rows=..., ...)``; a field of None is left out."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    def make(path: Path, array: np.ndarray, *, syntax: str = ExplicitVRLittleEndian, **fields: Any) -> Path:
        array = np.asarray(array)
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = syntax
        known: dict[str, Any] = {
            "SOPClassUID": CTImageStorage, "SOPInstanceUID": generate_uid(), "Modality": "CT",
            "PatientName": f"{SURNAME}^Anna", "PatientID": "4711", "StudyInstanceUID": SERIES + ".1",
            "SeriesInstanceUID": SERIES, "FrameOfReferenceUID": SERIES + ".2", "SeriesDescription": "Thorax 2.0",
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "InstanceNumber": 1, "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2", "Rows": array.shape[-2], "Columns": array.shape[-1],
            "PixelSpacing": [0.5, 0.25], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "ImagePositionPatient": [0, 0, 0], "BitsAllocated": array.dtype.itemsize * 8,
            "BitsStored": array.dtype.itemsize * 8, "HighBit": array.dtype.itemsize * 8 - 1,
            "PixelRepresentation": int(array.dtype.kind == "i"), "RescaleSlope": "1", "RescaleIntercept": "0",
        }
        for name, value in (known | fields).items():
            if value is not None:
                setattr(data, name, value)
        raw = array.astype(array.dtype.newbyteorder(">" if syntax == "1.2.840.10008.1.2.2" else "<")).tobytes()
        data.PixelData = raw + b"\0" * (len(raw) % 2)
        data["PixelData"].VR = "OW" if array.dtype.itemsize > 1 else "OB"
        path.parent.mkdir(parents=True, exist_ok=True)
        data.save_as(path, enforce_file_format=True)
        return path

    return make


@pytest.fixture
def volume(dicom: Callable[..., Path]) -> Callable[..., Path]:
    """Writes a series, one file a slice, in shuffled file names: ``volume(folder, array, step=2.0, **fields)``."""

    def make(folder: Path, array: np.ndarray, *, step: float = 2.0, **fields: Any) -> Path:
        names = np.random.default_rng(1).permutation(len(array))
        for i, plane in enumerate(array):
            at = {"ImagePositionPatient": [0, 0, i * step], "InstanceNumber": i + 1}
            dicom(folder / f"{names[i]:03d}.dcm", plane, **(at | fields))
        return folder

    return make


@pytest.fixture
def little_memory() -> Callable[[int], Any]:
    """A block in which the address space may grow by so many MB only; what asks for more gets MemoryError."""

    @contextmanager
    def within(megabytes: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (megabytes << 20), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

    return within
