from __future__ import annotations

import pytest
from pydicom.datadict import keyword_for_tag

from isocenter.io.dicom import tags

# Our short names beside the keywords of PS3.6.
KEYWORDS = {
    "IMAGE_TYPE": "ImageType", "SOP_CLASS": "SOPClassUID", "SOP_INSTANCE": "SOPInstanceUID", "MODALITY": "Modality",
    "ACQUISITION_TIME": "AcquisitionTime", "CONTENT_TIME": "ContentTime", "ACQUISITION_DATETIME": "AcquisitionDateTime",
    "SERIES_DESCRIPTION": "SeriesDescription", "CHARACTER_SET": "SpecificCharacterSet", "PATIENT_ID": "PatientID",
    "DISPLAY_RATE": "RecommendedDisplayFrameRate", "ECHO_TIME": "EchoTime", "CINE_RATE": "CineRate",
    "TRIGGER_TIME": "TriggerTime", "FRAME_TIME": "FrameTime", "FRAME_TIMES": "FrameTimeVector",
    "IMAGER_SPACING": "ImagerPixelSpacing", "SCANNED_SPACING": "NominalScannedPixelSpacing",
    "B_VALUE": "DiffusionBValue",
    "EFFECTIVE_ECHO": "EffectiveEchoTime", "DIFFUSION": "MRDiffusionSequence", "MR_ECHO": "MREchoSequence",
    "US_REGIONS": "SequenceOfUltrasoundRegions", "US_DELTA_X": "PhysicalDeltaX", "US_DELTA_Y": "PhysicalDeltaY",
    "US_UNIT_X": "PhysicalUnitsXDirection", "US_UNIT_Y": "PhysicalUnitsYDirection", "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID", "FRAME_OF_REFERENCE": "FrameOfReferenceUID", "SERIES_NUMBER": "SeriesNumber",
    "ACQUISITION_NUMBER": "AcquisitionNumber", "INSTANCE_NUMBER": "InstanceNumber", "POSITION": "ImagePositionPatient",
    "ORIENTATION": "ImageOrientationPatient", "TEMPORAL_ID": "TemporalPositionIdentifier",
    "PLANE_POSITION": "PlanePositionSequence",
    "PLANE_ORIENTATION": "PlaneOrientationSequence", "FRAME_CONTENT": "FrameContentSequence",
    "TEMPORAL_INDEX": "TemporalPositionIndex", "FRAME_REFERENCED": "FrameReferenceDateTime",
    "FRAME_ACQUIRED": "FrameAcquisitionDateTime", "SAMPLES": "SamplesPerPixel",
    "PHOTOMETRIC": "PhotometricInterpretation", "PLANAR": "PlanarConfiguration", "FRAMES": "NumberOfFrames",
    "INCREMENT": "FrameIncrementPointer", "ROWS": "Rows", "COLUMNS": "Columns", "SPACING": "PixelSpacing",
    "ALLOCATED": "BitsAllocated", "STORED": "BitsStored", "HIGH": "HighBit", "SIGNED": "PixelRepresentation",
    "INTERCEPT": "RescaleIntercept", "SLOPE": "RescaleSlope", "RESCALE_TYPE": "RescaleType",
    "PALETTE": "RedPaletteColorLookupTableDescriptor", "PALETTE_DATA": "RedPaletteColorLookupTableData",
    "MODALITY_LUT": "ModalityLUTSequence",
    "LUT_DESCRIPTOR": "LUTDescriptor", "LUT_DATA": "LUTData", "MEASURES": "PixelMeasuresSequence",
    "TRANSFORMATION": "PixelValueTransformationSequence", "TOTAL_COLUMNS": "TotalPixelMatrixColumns",
    "TOTAL_ROWS": "TotalPixelMatrixRows", "PET_UNITS": "Units", "DETECTORS": "DetectorInformationSequence",
    "DOSE_UNITS": "DoseUnits", "GRID_OFFSETS": "GridFrameOffsetVector", "DOSE_SCALING": "DoseGridScaling",
    "SHARED": "SharedFunctionalGroupsSequence", "PER_FRAME": "PerFrameFunctionalGroupsSequence",
}


def test_every_tag_is_listed_here() -> None:
    assert {n for n in vars(tags) if n.isupper()} == set(KEYWORDS)


@pytest.mark.parametrize("name", sorted(KEYWORDS))
def test_the_number_is_that_of_the_standard(name: str) -> None:
    assert keyword_for_tag(getattr(tags, name)) == KEYWORDS[name]
