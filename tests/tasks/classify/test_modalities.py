from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from isocenter.data import Before, Case, Cases, Geometry, Image, NotEvaluated
from isocenter.errors import InputError, NotFoundError, RecipeError
from isocenter.tasks.classify._modalities import Modalities, Seen, _normalisation, modalities_of

MANIFEST = Cases((), "set", "classify", ("no", "yes"), positive="yes")


def image(*shape: int, value: float = 1.0, modality: str | None = None) -> Image:
    array = np.full(shape, value, np.float32)
    array.flat[0] = 9
    return Image.from_array(array, modality=modality)


def case(name: str = "a", facts: dict[str, Any] | None = None, **images: Image) -> Case:
    return Case(name, images, "PET", facts=facts or {})


TRAIN = [
    case("a", {"age": 60.0, "suv": 3.0}, PET=image(6, 8, 9, modality="PT"), CT=image(12, 12)),
    case("b", {"age": 70.0, "suv": None}, PET=image(5, 7, 9, value=4, modality="PT")),
    case("c", {"age": None, "suv": 5.0}, PET=image(5, 7, 9, value=2, modality="PT"), CT=image(10, 12)),
]


def made(**said: Any) -> Modalities:
    how: dict[str, Any] = {"only": (), "required": (), "size": None, "before": Before()} | said
    return modalities_of(TRAIN, MANIFEST, **how)


def test_roles_and_facts_of_train() -> None:
    found = made()
    assert found.names == ("PET", "CT", "facts")
    assert [(p.rank, p.size) for p in found.roles.values()] == [(3, (24,) * 3), (2, (96,) * 2)]
    # Activity means the same in every image; grey values of unknown origin do not.
    assert found.roles["PET"].normalisation.kind == "window" and found.roles["CT"].normalisation.kind == "standardise"
    assert made(size=16, before=Before(intensity="none")).roles["PET"].size == (16,) * 3
    assert made(before=Before(intensity="none")).roles["PET"].normalisation.kind == "none"


def test_what_a_case_shows() -> None:
    found = made(size=8)
    whole, less = found.seen(TRAIN[0]), found.seen(TRAIN[1])
    assert isinstance(whole, Seen) and isinstance(less, Seen)
    assert whole.present.tolist() == [True, True, True] and less.present.tolist() == [True, False, True]
    assert {role: array.shape for role, array in whole.images.items()} == {"PET": (1, 8, 8, 8), "CT": (1, 8, 8)}
    assert set(less.images) == {"PET"} and less.facts.shape == (found.coding.width,)
    bare = found.seen(TRAIN[0], pixels=False)
    assert isinstance(bare, Seen) and not bare.images and bare.present.all()


def test_single_facts_and_roles_can_be_named() -> None:
    assert made(only=("PET",)).names == ("PET",)
    assert made(only=("facts",)).names == ("facts",) and set(made(only=("facts",)).coding.facts) == {"age", "suv"}
    suv = made(only=("suv",))
    assert set(suv.coding.facts) == {"suv"}
    alone = suv.seen(TRAIN[1])
    assert isinstance(alone, NotEvaluated) and "lacks all that the method looks at" in alone.reason


def test_what_is_required_and_missing_is_not_evaluated() -> None:
    found = made(required=("PET",), size=8)
    only_ct = found.seen(case(CT=image(9, 9)))
    assert isinstance(only_ct, NotEvaluated)
    assert (only_ct.reason, only_ct.measured, only_ct.limit) == ("the case lacks PET", "CT", "needs PET")
    assert isinstance(found.seen(case(PET=image(5, 5, 5, modality="PT"))), Seen)


def test_a_case_with_nothing_that_train_had_is_refused() -> None:
    for strange in (case(), case(US=image(4, 4)), case(facts={"height": 1.0})):
        with pytest.raises(NotFoundError, match="neither an image nor a fact"):
            made().seen(strange)


def test_one_image_without_a_name_is_the_first_role() -> None:
    seen = made(size=8).seen(Case.of(image(5, 5, 5)))
    assert isinstance(seen, Seen) and set(seen.images) == {"PET"}


def test_it_comes_back_from_plain_values() -> None:
    found = made(required=("PET", "facts"), size=8)
    again = Modalities.from_json(json.loads(json.dumps(found.as_json())))
    assert again == found
    a, b = again.seen(TRAIN[0]), found.seen(TRAIN[0])
    assert isinstance(a, Seen) and isinstance(b, Seen) and np.array_equal(a.images["PET"], b.images["PET"])


def test_pixels_that_are_no_numbers_films_and_other_axes() -> None:
    found = made(size=8)
    broken = found.seen(case(PET=image(4, 4, 4, value=np.nan)))
    assert isinstance(broken, NotEvaluated) and broken.reason.startswith("PET: ")
    with pytest.raises(InputError, match="frames"):
        found.seen(case(PET=Image.from_array(np.zeros((2, 4, 4)), axes="tyx")))
    with pytest.raises(InputError, match="3 axes"):
        found.seen(case(PET=image(4, 4)))


def test_a_volume_that_lies_another_way_is_turned() -> None:
    array = np.arange(60.0, dtype=np.float32).reshape(3, 4, 5)
    lying = Geometry.from_spacing((3, 4, 5), (1.0, 1.0, 1.0))
    there = Image.from_array(array, geometry=lying)
    turned = Image.from_array(array[::-1, :, ::-1].copy(), geometry=lying.reoriented((0, 1, 2), (True, False, True)))
    train = [case("a", PET=there)]
    found = modalities_of(train, MANIFEST, only=(), required=(), size=5, before=Before())
    assert found.roles["PET"].orientation == lying.orientation is not None
    a, b = found.seen(train[0]), found.seen(case("b", PET=turned))
    assert isinstance(a, Seen) and isinstance(b, Seen)
    assert b.images["PET"] == pytest.approx(a.images["PET"], abs=1e-5)


def test_names_that_train_has_not_are_refused() -> None:
    with pytest.raises(RecipeError, match="Did you mean PET"):
        made(only=("PTE",))
    with pytest.raises(RecipeError, match="no such image or fact"):
        made(required=("suv",))
    with pytest.raises(RecipeError, match="not among what is looked at"):
        made(only=("PET",), required=("CT",))
    with pytest.raises(RecipeError, match="nothing to look at"):
        modalities_of([case()], MANIFEST, only=(), required=(), size=None, before=Before())


def test_colour_and_axes_of_a_role() -> None:
    grey = Image.from_array(np.repeat(np.arange(16.0).reshape(1, 4, 4), 3, 0), axes="cyx")
    colour = Image.from_array(np.arange(48.0).reshape(3, 4, 4), axes="cyx")
    both = [case(slide=grey), case(slide=colour)]
    for images, channels in ((both[:1], 1), (both, 3)):
        found = modalities_of(images, MANIFEST, only=(), required=(), size=4, before=Before())
        assert found.roles["slide"].channels == channels
    mixed = [TRAIN[0], replace(TRAIN[1], images={"PET": image(5, 5)})]
    with pytest.raises(InputError, match="2D and 3D images of the role 'PET'"):
        modalities_of(mixed, MANIFEST, only=(), required=(), size=None, before=Before())


def test_a_window_of_ones_own_and_a_flat_one() -> None:
    own = made(before=Before(intensity="window", window=(0.0, 5.0))).roles["CT"].normalisation
    assert (own.kind, own.low, own.high) == ("window", 0.0, 5.0)
    flat = [case(CT=Image.from_array(np.zeros((4, 4)), modality="CT"))]
    found = modalities_of(flat, MANIFEST, only=(), required=(), size=4, before=Before())
    assert found.roles["CT"].normalisation.kind == "standardise"


@pytest.mark.parametrize("kind", ["landmarks", "clahe"])
def test_maps_of_one_image_are_not_for_several(kind: str) -> None:
    with pytest.raises(RecipeError, match=f"got before.intensity={kind}"):
        _normalisation([], Before(intensity=kind))
