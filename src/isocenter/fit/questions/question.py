"""What every kind of answer tells the loop; the base holds what most of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from isocenter.data import Augment, Case, Cases, Intensity, Spatial, Value
from isocenter.ops.array import Array

if TYPE_CHECKING:
    from isocenter.fit.augment import Pose
    from isocenter.fit.feed import Shelf
    from isocenter.fit.fingerprint import Fingerprint
    from isocenter.fit.scheme import Loop, Scheme

# Pixels remembered per class and case as centres of patches.
CENTRES = 5000
Origins = dict[str, str]


@dataclass(frozen=True)
class Looked:
    """What the fingerprint takes from one case's truth.

    Parameters
    ----------
    counts
        Class name to pixels, cases or objects.
    inside
        bool (*grid): pixels whose values count for the intensity statistics; None: all.
    thickness
        Region name to 2 area / perimeter in pixels.
    sizes
        (n, axes) extent of each object in pixels.
    number
        What is measured, where the answer is a number.
    """

    counts: dict[str, int]
    inside: Array | None = None
    thickness: dict[str, float] = field(default_factory=dict)
    sizes: Array | None = None
    number: Value | None = None


@dataclass(frozen=True)
class Ready:
    """One case as the network sees it.

    Parameters
    ----------
    image
        float32 (c, *working grid).
    target
        As the question makes it; segment: uint8 (*working grid) with 255 for ignore. classify: float32 (classes,).
        regress: float32 (1,).
    centres
        Class index to positions (n, rank) of some of its pixels, as whole numbers: where patches are centred.
    reach
        float32 (c,): by how much `image` changes when pixels change by the whole range of the file; None where no
        sample is changed against the network.
    """

    image: Array
    target: Any
    centres: Mapping[int, Array] = field(default_factory=dict)
    reach: Array | None = None

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        parts = self.target if isinstance(self.target, tuple) else (self.target,)
        return self.image.nbytes + sum(int(p.nbytes) for p in parts)


class Question:
    """One kind of answer. Methods that a kind needs and the base lacks raise NotImplementedError."""

    task = ""
    """Name of the task."""
    dense = True
    """Whether the network answers pixel by pixel, in patches and windows; else it sees the image whole."""
    sees_targets = False
    """Whether the module takes (images, targets) in training: networks that match their own proposals."""
    longest: Mapping[int, int] = {2: 224, 3: 64}
    """Pixels of the longer side at which an image is seen whole, by rank."""
    needs_truth = True
    """Whether cases without truth are left out."""
    every_class = True
    """Whether train must hold a case of each class."""
    keeps_grid = False
    """Whether a dense network always works on the image's own pixels, unless the recipe says otherwise."""

    def names(self, cases: Cases) -> tuple[str, ...]:
        """Names of the plan's classes, background first where the network has such an output."""
        return ("background", *cases.classes)

    def looked(self, case: Case, names: tuple[str, ...]) -> Looked:
        """What the fingerprint takes from one case; LabelError where it has no such truth."""
        raise NotImplementedError

    def ready(self, case: Case, scheme: Scheme, image: Array) -> Ready:
        """Image (c, *working grid) and truth as training takes them; LabelError where the truth has other names."""
        raise NotImplementedError

    def sampled(self, ready: Ready, where: Tensor, pose: Pose, scheme: Scheme) -> Any:
        """The target of one patch: an array, or a tuple of arrays.

        Parameters
        ----------
        ready
            As `ready` made it.
        where
            float32 (*patch, rank): the position in the image of each pixel of the patch.
        pose
            The same as a transform.
        scheme
            The plan.
        """
        raise NotImplementedError

    def shown(self, image: Array, target: Any, rng: np.random.Generator, scheme: Scheme) -> tuple[Array, Any]:
        """What the network sees of one augmented patch (c, *patch), and its target; most questions leave both be.

        Parameters
        ----------
        image
            float32 (c, *patch).
        target
            As `sampled` made it.
        rng
            That of the sample, read last.
        scheme
            The plan.
        """
        return image, target

    def stacked(self, targets: Sequence[Any]) -> Any:
        """The targets of a batch: a tensor, or a tuple of tensors, with the batch as first axis."""
        if isinstance(targets[0], tuple):
            return tuple(torch.from_numpy(np.stack(parts)) for parts in zip(*targets, strict=True))
        return torch.from_numpy(np.stack(targets))

    def loss(self, scheme: Scheme) -> Callable[[Any, Any], Tensor]:
        """(what the module gave, targets) to the loss."""
        raise NotImplementedError

    def score(self, module: nn.Module, valid: Shelf) -> float:
        """How good it is on val, higher is better; the module is put into eval mode and left there."""
        raise NotImplementedError

    def settled(self, module: nn.Module, shelf: Shelf) -> None:
        """Sets in the trained module (CPU, eval mode) what is read off the training cases once all is learnt."""

    def finished(self, scheme: Scheme, module: nn.Module, valid: Shelf) -> Scheme:
        """The scheme with everything that is chosen on val after training."""
        return scheme

    def exported(self, module: nn.Module, scheme: Scheme, vector: Array) -> dict[str, Array]:
        """``network.onnx``, ``vector/input``, ``vector/output`` and what else answers need; see `fit.export`."""
        from isocenter.fit.export import exported

        data, answer = exported(module, scheme.plan, vector, dense=self.dense)
        return {
            "network.onnx": np.frombuffer(data, np.uint8).copy(),
            "vector/input": vector,
            "vector/output": answer,
        }

    def network(
        self, recipe: Any, facts: Fingerprint, patch: Sequence[int], base: dict[str, Any], origins: Origins
    ) -> tuple[dict[str, Any], tuple[int, ...]] | None:
        """Description for `nets.build` and by what the grid must be divisible; None: that of `fit.network`."""
        return None

    def grid(
        self, recipe: Any, facts: Fingerprint, origins: Origins
    ) -> tuple[tuple[float, ...] | None, tuple[int, ...] | None] | None:
        """Spacing and size of the working grid, as in `Plan`; None: those of `fit.planning`."""
        return None

    def outputs(self, facts: Fingerprint) -> int:
        """Channels of the network's answer."""
        return len(facts.classes)

    def settings(self, recipe: Any, facts: Fingerprint, grid: Sequence[int], origins: Origins) -> dict[str, Any]:
        """`Plan.settings`: numbers of this kind of answer, JSON-able."""
        return {}

    def study(self, facts: Fingerprint, batch: int) -> dict[str, Any]:
        """Defaults of `Study` but the patch.

        Parameters
        ----------
        facts
            Of the training cases.
        batch
            Samples whose pixels fill the usual batch.
        """
        return {"epochs": 40, "steps": 50, "batch_size": batch, "learning_rate": 2e-3, "patience": 0}

    def augment(self, facts: Fingerprint, *, photo: bool) -> Augment:
        """Defaults of augmentation, flips left out; `photo` for colour pictures, in which every turn occurs."""
        turn = (-180.0, 180.0) if photo else (-15.0, 15.0)
        spatial = Spatial(turn, (-0.05, 0.05), (0.75, 1.35), (-5.0, 5.0), (), 0.0)
        return Augment(spatial, Intensity((0.65, 1.5), 0.3, (0.7, 1.5), 0.15, 1.0, 2.0), 0.3)

    def loop(self, recipe: Any, facts: Fingerprint, origins: Origins) -> Loop:
        """Defaults of `Loop`."""
        from isocenter.fit.scheme import Loop

        return Loop(foreground=0.33)


def centres_of(labels: Array, values: Sequence[int]) -> dict[int, Array]:
    """Value to positions (n, rank) of at most `CENTRES` of its pixels, evenly thinned; absent values left out."""
    out: dict[int, Array] = {}
    for value in values:
        flat = np.flatnonzero(labels == value)
        if len(flat):
            flat = flat[:: max(1, len(flat) // CENTRES)]
            out[value] = np.stack(np.unravel_index(flat, labels.shape), 1).astype(np.int32)
    return out


def thickness_of(mask: Array) -> float:
    """2 area / perimeter in pixels: the width of a band."""
    # The perimeter is counted as half the crossings of pixel faces that are seen from all axes.
    faces = sum(int(np.count_nonzero(np.diff(mask.view(np.int8), axis=a))) for a in range(mask.ndim))
    return float(2.0 * mask.sum() / max(1.0, faces * (np.pi / 4 if mask.ndim == 2 else 2 / 3)))
