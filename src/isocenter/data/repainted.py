"""A case with other pixels in its leading image."""

from __future__ import annotations

from dataclasses import replace

from isocenter.data.case import Case
from isocenter.errors import InputError
from isocenter.ops.array import Array
from isocenter.ops.span import span, stored


def repainted(case: Case, array: Array) -> Case:
    """The case as if its leading image held these pixels.

    Parameters
    ----------
    case
        Its other images, facts and truth stay.
    array
        (c, *grid) numbers: clipped to the range of the image and rounded to its stored type.

    Raises
    ------
    InputError
        A film, or another number of pixels.
    """
    image = case.image()
    before = image.channels_first()
    if array.shape != before.shape:
        raise InputError("other pixels need the same grid", where=image.name, got=str(array.shape),
                         wanted=str(before.shape))
    kept = stored(array, image.dtype, span(before, image.dtype))
    own = kept if "c" in image.axes else kept[0]
    role = next(r for r, i in case.images.items() if i is image)
    return replace(case, images={**case.images, role: image.replaced(lambda: own)})
