"""One question: images by role, facts, and the truth where it is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from isocenter.data.image import EMPTY, Image
from isocenter.errors import MissingFileError, NotFoundError, TableError, nearest

if TYPE_CHECKING:
    from isocenter.data.findings import Finding, NotEvaluated

Fact = float | str | None


@dataclass(frozen=True)
class Case:
    """One question about one subject.

    Parameters
    ----------
    id
        Unique within its `Cases`; stable over runs; no patient identifier in reports (they show a keyed hash).
    images
        By role: ``{"image": ...}``, ``{"PET": ..., "CT": ...}``, ``{"fixed": ..., "moving": ...}``.
    lead
        The role that a method for one image answers about, and whose grid the answer lies on.
    subject, group
        Who; and what must stay on one side of a split. An empty subject is unknown.
    split
        ``"train"``, ``"val"``, ``"test"``, another value of the table, or "".
    facts
        Named values that a method may use (age, lab values).
    notes
        Every other column of the table; never used by a method.
    load_truth
        Reads the truth of the asked task; None where there is none.
    load_given
        Reads a finding of the asked task that was made elsewhere: a column of the table by its name, or a folder by its
        path (a file named after the image). None for cases that come from no table.
    """

    id: str
    images: Mapping[str, Image]
    lead: str = "image"
    subject: str = ""
    group: str = ""
    split: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    load_truth: Callable[[], Finding] | None = None
    load_given: Callable[[str], Finding] | None = None

    @classmethod
    def of(cls, image: Image, *, id: str = "case") -> Case:
        """A case of one image."""
        return cls(id, {"image": image})

    def image(self, role: str | None = None) -> Image:
        """The image of a role (default: the leading one); NotFoundError names the roles there are."""
        role = role or (self.lead if self.lead in self.images or len(self.images) != 1 else next(iter(self.images)))
        if role not in self.images:
            raise NotFoundError(f"the case has no image {role!r}", where=self.id, remedy=nearest(role, self.images))
        return self.images[role]

    def truth(self) -> Finding | None:
        """The truth of the asked task, read now; None where there is none."""
        return None if self.load_truth is None else self.load_truth()

    def given(self, name: str) -> Finding | NotEvaluated:
        """A finding of the asked task that was made elsewhere; NotEvaluated where there is none for this case.

        Parameters
        ----------
        name
            A column of the table, or a folder.

        Raises
        ------
        NotFoundError
            The table has no such column, and there is no such folder.
        """
        from isocenter.data.findings import NotEvaluated

        if self.load_given is None:
            return NotEvaluated("the case comes from no table, so nothing was given", limit=name)
        try:
            return self.load_given(name)
        except (MissingFileError, TableError) as error:
            return NotEvaluated(f"nothing was given for this case: {error.what}", error.got, error.wanted)
