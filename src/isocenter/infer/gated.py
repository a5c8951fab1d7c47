"""A method that answers within its envelope alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from isocenter.data import Case, Fitted
from isocenter.infer.envelope import PREFIX, Envelope
from isocenter.ops.array import Array

NAME = "envelope"


@dataclass(frozen=True, eq=False)
class Gated:
    """A fitted method and its envelope: what a bundle holds, and what answers new images.

    Everything else that the method can do it does as before.

    Parameters
    ----------
    method
        What answers.
    envelope
        Of its training images.
    """

    method: Fitted
    envelope: Envelope

    def predict(self, case: Case) -> Any:
        """The method's answer; `NotEvaluated` where the leading image lies outside the envelope."""
        met = led(self.method, case)
        if met is None:
            return self.method.predict(case)
        case, image = met, met.image()
        if "t" in image.axes:
            return self.method.predict(case)
        array = image.pixels()
        # Read once for both; a copy, because a method may do with its pixels as it likes.
        read = image.replaced(lambda: array.copy(order="K"))
        outside = self.envelope.refused(image.replaced(lambda: array))
        if outside is not None:
            return outside
        images = {role: read if other is image else other for role, other in case.images.items()}
        return self.method.predict(replace(case, images=images))

    @property
    def about(self) -> Mapping[str, Any]:
        """That of the method, with the envelope's numbers."""
        return {**self.method.about, NAME: self.envelope.as_json()}

    def state(self) -> dict[str, Array]:
        """The arrays of both."""
        return {**self.method.state(), **self.envelope.state()}

    def __repr__(self) -> str:
        """In one line: what it holds are arrays."""
        return f"<{type(self.method).__name__} within its envelope>"

    def __getattr__(self, name: str) -> Any:
        # Only for what is not found here; a copy being made has no fields yet.
        if name in ("method", "envelope") or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.method, name)


def led(method: Any, case: Case) -> Case | None:
    """The case with the image that the envelope is of in the lead; None where it lacks that image.

    A method of several modalities names it as ``lead``; what a case lacks is for such a method to say. One image
    without a name (role ``image``) is the leading one.

    Raises
    ------
    NotFoundError
        A method of one image meets a case without it.
    """
    lead = getattr(method, "lead", None)
    if lead is None or set(case.images) == {"image"}:
        case.image()
        return case
    return replace(case, lead=lead) if lead in case.images else None


def parted(
    about: Mapping[str, Any], state: Mapping[str, Array]
) -> tuple[dict[str, Any], dict[str, Array], Envelope | None]:
    """What a bundle holds as the method's own, and its envelope; None for bundles of before there were any.

    Raises
    ------
    BundleError
        As `Envelope.from_state`.
    """
    own = {k: v for k, v in about.items() if k != NAME}
    arrays = {k: v for k, v in state.items() if not k.startswith(PREFIX)}
    said = about.get(NAME)
    return own, arrays, Envelope.from_state(said, state) if isinstance(said, Mapping) else None
