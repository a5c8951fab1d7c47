"""What elements mean: planes in the patient, units, times, what tells frames of one place apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from isocenter.io.dicom import tags
from isocenter.io.dicom.elements import Elements
from isocenter.io.dicom.facts import Slice, Triple

UNITS = {"GML": "SUV", "GY": "Gy", "US": ""}
CENTIMETRES = 3
# What may tell images of one place apart: name, tag, VR. The first that does so over the series is taken.
MARKS = (
    ("temporal", tags.TEMPORAL_ID, b"IS"), ("trigger", tags.TRIGGER_TIME, b"DS"), ("b", tags.B_VALUE, b"FD"),
    ("echo", tags.ECHO_TIME, b"DS"), ("acquisition", tags.ACQUISITION_NUMBER, b"IS"),
    ("instance", tags.INSTANCE_NUMBER, b"IS"),
)


def plane(found: Elements) -> Slice:
    """The plane, scaling and marks that the top level of a file states."""
    position, orientation = found.numbers(tags.POSITION, b"DS"), found.numbers(tags.ORIENTATION, b"DS")
    if not position and tags.DETECTORS in found:
        detector = next(found.items(tags.DETECTORS), None)
        if detector is not None:
            position = detector.numbers(tags.POSITION, b"DS")
            orientation = detector.numbers(tags.ORIENTATION, b"DS")
    scaling = found.number(tags.DOSE_SCALING, b"DS")
    slope = found.number(tags.SLOPE, b"DS", 1.0) if scaling is None else scaling
    marks = tuple((n, v) for n, tag, vr in MARKS if (v := found.number(tag, vr)) is not None)
    return Slice(
        position if len(position) == 3 else (), orientation if len(orientation) == 6 else (), spacing(found),
        1.0 if slope is None else slope, found.number(tags.INTERCEPT, b"DS", 0.0) or 0.0, marks, seconds(found),
    )


def spacing(found: Elements) -> Triple:
    """mm between rows and between columns, from the first element that states it; empty where none does."""
    for tag in (tags.SPACING, tags.IMAGER_SPACING, tags.SCANNED_SPACING):
        values = found.numbers(tag, b"DS")
        if len(values) == 2 and min(values) > 0:
            return values
    regions = set()
    for region in found.items(tags.US_REGIONS):
        units = {region.number(tags.US_UNIT_X, b"US"), region.number(tags.US_UNIT_Y, b"US")}
        deltas = region.number(tags.US_DELTA_Y, b"FD"), region.number(tags.US_DELTA_X, b"FD")
        if units == {CENTIMETRES} and deltas[0] and deltas[1]:
            regions.add((abs(deltas[0]) * 10, abs(deltas[1]) * 10))
    # Several regions of different scales share one picture: no one spacing holds.
    return regions.pop() if len(regions) == 1 else ()


def grouped(item: Elements, base: Slice) -> Slice:
    """A frame of an enhanced object: what one item of functional groups says, over `base`."""
    def within(group: int) -> Elements | None:
        return next(item.items(group), None)

    if (group := within(tags.PLANE_POSITION)) is not None:
        base = replace(base, position=group.numbers(tags.POSITION, b"DS"))
    if (group := within(tags.PLANE_ORIENTATION)) is not None:
        base = replace(base, orientation=group.numbers(tags.ORIENTATION, b"DS"))
    if (group := within(tags.MEASURES)) is not None:
        base = replace(base, spacing=group.numbers(tags.SPACING, b"DS") or base.spacing)
    if (group := within(tags.TRANSFORMATION)) is not None:
        slope, intercept = group.number(tags.SLOPE, b"DS", 1.0), group.number(tags.INTERCEPT, b"DS", 0.0)
        base = replace(base, slope=1.0 if slope is None else slope, intercept=intercept or 0.0)
    marks = dict(base.marks)
    for group_tag, name, tag, vr in (
        (tags.FRAME_CONTENT, "temporal", tags.TEMPORAL_INDEX, b"UL"), (tags.DIFFUSION, "b", tags.B_VALUE, b"FD"),
        (tags.MR_ECHO, "echo", tags.EFFECTIVE_ECHO, b"FD"),
    ):
        if (group := within(group_tag)) is not None and (value := group.number(tag, vr)) is not None:
            marks[name] = value
    when = base.seconds
    if (group := within(tags.FRAME_CONTENT)) is not None:
        when = clock((group.text(tags.FRAME_ACQUIRED) or group.text(tags.FRAME_REFERENCED))[8:])
    return replace(base, marks=tuple(marks.items()), seconds=when)


def along(at: Slice, offset: float) -> Triple:
    """A point `offset` mm from the position along the normal of the plane."""
    normal = np.cross(at.orientation[:3], at.orientation[3:])
    return tuple(float(v) for v in np.asarray(at.position) + normal * offset)


def seconds(found: Elements) -> float | None:
    """Time of the acquisition in seconds: after the trigger, or of the day."""
    trigger = found.number(tags.TRIGGER_TIME, b"DS")
    if trigger is not None:
        return trigger / 1000.0
    when = found.text(tags.ACQUISITION_TIME), found.text(tags.ACQUISITION_DATETIME)[8:], found.text(tags.CONTENT_TIME)
    return clock(next((text for text in when if text), ""))


def clock(text: str) -> float | None:
    """Seconds of the day of a DICOM time.

    >>> clock("013005.5")
    5405.5
    """
    whole, _, part = text.partition(".")
    part = part.split("+")[0].split("-")[0]
    if len(whole) != 6 or not whole.isdigit() or not (part.isdigit() or not part):
        return None
    return int(whole[:2]) * 3600 + int(whole[2:4]) * 60 + float(f"{whole[4:]}.{part or 0}")


def unit(found: Elements) -> str:
    """Of the output values: HU, SUV, BQML, Gy, or what the file calls it."""
    modality = found.text(tags.MODALITY)
    if modality == "PT":
        text = found.text(tags.PET_UNITS)
        return UNITS.get(text, text)
    if tags.DOSE_UNITS in found:
        text = found.text(tags.DOSE_UNITS)
        return UNITS.get(text, text)
    text = found.text(tags.RESCALE_TYPE)
    if modality == "CT" and text in ("", "HU") and (tags.SLOPE in found or tags.SHARED in found):
        return "HU"
    return UNITS.get(text, text)


def frame_step(found: Elements, frames: int) -> float | None:
    """Seconds from frame to frame of a cine, or None."""
    if frames < 2:
        return None
    step = found.number(tags.FRAME_TIME, b"DS")
    if step:
        return step / 1000.0
    steps = found.numbers(tags.FRAME_TIMES, b"DS")
    if len(steps) > 1:
        return float(np.mean(steps[1:])) / 1000.0
    rate = found.number(tags.CINE_RATE, b"IS") or found.number(tags.DISPLAY_RATE, b"IS")
    return 1.0 / rate if rate else None


def frame_stamps(found: Elements, frames: int) -> tuple[float, ...]:
    """Seconds of each frame from the first on by the frame time vector (PS3.3, C.7.6.5); empty where there is none.

    The vector holds the time since the frame before, its first value being 0. One that does not rise is none.
    """
    steps = found.numbers(tags.FRAME_TIMES, b"DS")
    if frames < 2 or len(steps) != frames or not min(steps[1:]) > 0:
        return ()
    stamps = np.cumsum([0.0, *steps[1:]]) / 1000.0
    return tuple(stamps.tolist()) if np.isfinite(stamps).all() else ()
