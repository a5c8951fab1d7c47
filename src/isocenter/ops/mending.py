"""Objects of a map made whole: holes filled, and what lies apart given up."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel


def mended(numbers: Array) -> Array:
    """Objects of which only the largest part remains (the first of equal ones), with its holes filled by itself.

    Parts and holes are joined by faces. Pixels of other objects in a hole stay theirs; the numbers stay as they are.

    Parameters
    ----------
    numbers
        int32 (*grid), 2D or 3D: one number an object, 0 outside.

    Returns
    -------
    int32 (*grid).
    """
    flat = np.ascontiguousarray(numbers, np.int32)
    lead = 3 - numbers.ndim
    out = flat.copy()
    boxes = np.zeros((int(flat.max(initial=0)), 2, 3), np.int64)
    for i, box in enumerate(ndimage.find_objects(flat)):
        if box is not None:
            boxes[i, 1, :lead] = 1
            boxes[i, :, lead:] = [[s.start for s in box], [s.stop for s in box]]
    shape = (1,) * lead + numbers.shape
    _mend(flat.reshape(shape), out.reshape(shape), boxes, lead)
    return out


@kernel
def _mend(numbers: Array, out: Array, boxes: Array, lead: int) -> None:
    for i in range(len(boxes)):
        low, size = boxes[i, 0], boxes[i, 1] - boxes[i, 0]
        if size[0] == 0:
            continue
        # Part of each pixel of the box: 0 none yet, -1 not of this object, -2 outside of it.
        part = np.full((size[0], size[1], size[2]), -1, np.int32)
        stack = np.empty((size[0] * size[1] * size[2], 3), np.int64)
        for z in range(size[0]):
            for y in range(size[1]):
                for x in range(size[2]):
                    if numbers[low[0] + z, low[1] + y, low[2] + x] == i + 1:
                        part[z, y, x] = 0
        best, most, count = 0, 0, 0
        for z in range(size[0]):
            for y in range(size[1]):
                for x in range(size[2]):
                    if part[z, y, x] == 0:
                        count += 1
                        held = _flood(part, stack, (z, y, x), 0, count)
                        if held > most:
                            best, most = count, held
        for z in range(size[0]):
            for y in range(size[1]):
                for x in range(size[2]):
                    if part[z, y, x] != best:
                        if part[z, y, x] > 0:
                            out[low[0] + z, low[1] + y, low[2] + x] = 0
                        part[z, y, x] = -1
        for z in range(size[0]):
            for y in range(size[1]):
                for x in range(size[2]):
                    rim = y == 0 or y == size[1] - 1 or x == 0 or x == size[2] - 1
                    rim = rim or (lead == 0 and (z == 0 or z == size[0] - 1))
                    if rim and part[z, y, x] == -1:
                        _flood(part, stack, (z, y, x), -1, -2)
        for z in range(size[0]):
            for y in range(size[1]):
                for x in range(size[2]):
                    if part[z, y, x] == -1 and out[low[0] + z, low[1] + y, low[2] + x] == 0:
                        out[low[0] + z, low[1] + y, low[2] + x] = i + 1


@kernel
def _flood(part: Array, stack: Array, start: tuple[int, int, int], old: int, new: int) -> int:
    """Turns the connected pixels of value `old` into `new`; how many they are."""
    stack[0, 0], stack[0, 1], stack[0, 2] = start
    part[start] = new
    top, count = 1, 0
    while top > 0:
        top -= 1
        count += 1
        at = (stack[top, 0], stack[top, 1], stack[top, 2])
        for axis in range(3):
            for step in (-1, 1):
                z = at[0] + (step if axis == 0 else 0)
                y = at[1] + (step if axis == 1 else 0)
                x = at[2] + (step if axis == 2 else 0)
                inside = 0 <= z < part.shape[0] and 0 <= y < part.shape[1] and 0 <= x < part.shape[2]
                if inside and part[z, y, x] == old:
                    part[z, y, x] = new
                    stack[top, 0], stack[top, 1], stack[top, 2] = z, y, x
                    top += 1
    return count
