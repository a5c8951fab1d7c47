"""Maps between images' own coordinates: those of `isocenter.data.plane`."""

from isocenter.data.plane import between, coordinates, lifted, placed, worlds

__all__ = ["between", "coordinates", "lifted", "placed", "worlds"]
