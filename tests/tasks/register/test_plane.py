"""The methods of registration see the coordinates that mosaics see."""

from isocenter.data import plane
from isocenter.tasks.register import _plane


def test_there_is_one_definition_of_an_images_own_coordinates():
    assert all(getattr(_plane, name) is getattr(plane, name) for name in _plane.__all__)
    assert len(_plane.__all__) == 5
