"""Mask R-CNN and Cascade R-CNN: a pyramid of features, proposals, and heads that look at each proposal again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from isocenter.errors import RecipeError
from isocenter.nets.parts import convolution, initialised, norm
from isocenter.nets.pyramid import Pyramid
from isocenter.nets.roi import align
from isocenter.nets.trunk import Trunk
from isocenter.ops import proposals
from isocenter.ops.array import Array
from isocenter.ops.roi import positions

# Bins of a region for its class and box, and for its mask, whose answer is twice as fine.
BOX, MASK = 7, 14
# Hidden units of a box head; convolutions of the mask head.
HIDDEN, DEEP = 256, 3
# Usual size of shifts and growths that each head of a cascade corrects (Cai and Vasconcelos 2018, section 4).
SPREADS = ((0.1, 0.2), (0.05, 0.1), (0.033, 0.067))
# Of an image: places and regions to learn from, the share of them that holds an object, masks to learn from.
PLACES, REGIONS, HELD, MASKS = 256, 128, 0.25, 48
# IoU of anchors with their truth: background below, an object from.
NEAR = (0.3, 0.6)
# Proposals in training: of a level before suppression, of all after it.
COUNTS = (800, 300)
# Regions go through the mask head in multiples of so many: every number of its own would leave memory behind that the
# allocator and the kernels keep for the next of the same size.
TOGETHER = 32
# Share of the loss of each head of a cascade.
WEIGHTS = (1.0, 0.5, 0.25)


@dataclass(frozen=True)
class Learnt:
    """What the network answered about the places and regions it was asked about in training, and what is true.

    Parameters
    ----------
    pairs
        Name of the term, and (answer, truth) tensors: ``objectness`` logits and 0 / 1, ``class0`` ... logits and class
        indices, ``step``, ``box0`` ... steps of the boxes, ``mask`` logits and 0..1.
    weights
        Share of a term in the loss; 1 where there is none.
    """

    pairs: dict[str, tuple[Tensor, Tensor]]
    weights: dict[str, float] = field(default_factory=dict)


def learning(out: Learnt) -> Tensor:
    """The loss: cross-entropy of objectness, classes and masks, smooth L1 of boxes, each a mean, weighted and summed.

    Source: Ren et al. 2015; He et al. 2017, section 3. Boxes are averaged over all regions that were asked about,
    objects or not, as there.
    """
    total = torch.zeros((), device=next(iter(out.pairs.values()))[0].device)
    for name, (answer, truth) in out.pairs.items():
        answer = answer.float()
        if name == "objectness" or name == "mask":
            value = functional.binary_cross_entropy_with_logits(answer, truth, reduction="sum") / max(truth.numel(), 1)
        elif name.startswith("class"):
            value = functional.cross_entropy(answer, truth, reduction="sum") / max(len(truth), 1)
        else:
            about = out.pairs["objectness" if name == "step" else f"class{name[3:]}"][1]
            value = functional.smooth_l1_loss(answer, truth, reduction="sum", beta=1 / 9) / max(len(about), 1)
        total = total + out.weights.get(name, 1.0) * value
    return total


class BoxHead(nn.Module):  # type: ignore[misc]
    """Two hidden layers; class logits with background first, then one step of the box."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.hidden1 = nn.Linear(features * BOX * BOX, HIDDEN)
        self.hidden2 = nn.Linear(HIDDEN, HIDDEN)
        self.out = nn.Linear(HIDDEN, classes + 1 + 4)
        nn.init.normal_(self.out.weight, std=0.01)
        nn.init.zeros_(self.out.bias)

    def forward(self, crops: Tensor) -> Tensor:
        """(r, features, 7, 7) to (r, classes + 1 + 4)."""
        x = functional.relu(self.hidden1(crops.flatten(1)))
        out: Tensor = self.out(functional.relu(self.hidden2(x)))
        return out


class MaskHead(nn.Module):  # type: ignore[misc]
    """Convolutions, one step up, one mask a class."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(DEEP):
            layers += [convolution(2, features, features), norm("group", 2, features), nn.ReLU(inplace=True)]
        self.deep = nn.Sequential(*layers)
        self.up = nn.ConvTranspose2d(features, features, 2, 2)
        self.out = nn.Conv2d(features, classes, 1)
        initialised(self, slope=0.0)
        nn.init.normal_(self.out.weight, std=0.01)

    def forward(self, crops: Tensor) -> Tensor:
        """(r, features, 14, 14) to logits (r, classes, 28, 28)."""
        out: Tensor = self.out(functional.relu(self.up(self.deep(crops))))
        return out


class RCNN(nn.Module):  # type: ignore[misc]
    """Trunk, feature pyramid, region proposals, box heads in a row, mask head.

    Source: He et al., Mask R-CNN, ICCV 2017; Lin et al., Feature pyramid networks, CVPR 2017; Cai and Vasconcelos,
    Cascade R-CNN, CVPR 2018. The trunk is ResNet-18 with group normalisation (Wu and He 2018), so that it learns from
    nothing with few images a batch.

    Parameters
    ----------
    rank, channels
        2 spatial axes; channels of the input.
    outputs
        Classes without background.
    anchors
        For each level from stride 4 on, at most four, sizes (height, width) of its anchors in pixels; as many a level.
    width
        Channels of the trunk's first stage.
    features
        Channels of the pyramid.
    limits
        IoU from which a region holds its object, one a box head: one head is Mask R-CNN, more are Cascade R-CNN.

    Raises
    ------
    RecipeError
        Three axes, or anchors or limits that cannot be.
    """

    def __init__(
        self, rank: int, channels: int, outputs: int, *, anchors: Sequence[Sequence[Sequence[float]]], width: int = 32,
        features: int = 64, limits: Sequence[float] = (0.5,),
    ) -> None:  # fmt: skip
        super().__init__()
        if rank != 2:
            raise RecipeError("region networks see two axes", got=f"{rank}D", remedy="Use cut('slice')")
        if not 1 <= len(anchors) <= 4 or len({len(a) for a in anchors}) != 1 or not 1 <= len(limits) <= len(SPREADS):
            raise RecipeError("a region network of no such shape", got=f"{len(anchors)} levels, {len(limits)} heads",
                              wanted="1 to 4 levels with as many anchors each, 1 to 3 heads")
        self.classes, self.features, self.limits = outputs, features, tuple(limits)
        self.anchors = [[tuple(map(float, size)) for size in level] for level in anchors]
        self.strides = tuple(4 * 2**i for i in range(len(anchors)))
        self.trunk = Trunk(2, channels, width=width, strides=[(2, 2)] * 5, kind="group")
        self.pyramid = Pyramid(
            2, [width * 2**i for i in range(4)], features, steps=[(2, 2)] * 3, kind="group"
        )
        self.look = nn.Conv2d(features, features, 3, 1, 1)
        initialised(self, slope=0.0)
        self.places = nn.Conv2d(features, 5 * len(anchors[0]), 1)
        nn.init.normal_(self.places.weight, std=0.01)
        nn.init.zeros_(self.places.bias)
        self.heads = nn.ModuleList(BoxHead(features, outputs) for _ in limits)
        self.mask = MaskHead(features, outputs)

    def forward(self, images: Tensor, targets: tuple[Tensor, Tensor] | None = None) -> Tensor | Learnt:
        """What the network says about images (n, channels, height, width), whose sides are multiples of 32.

        Without targets: (n, features + 5 * anchors, places, 1): the pyramid's features and, for each anchor, the logit
        of an object and its step (two shifts, two growths); places run through the levels, the finest first, row by
        row.

        With targets, in training: `Learnt`. They are boxes float32 (n, m, 5): low edges, high edges, class index, -1
        for none; and numbers int (n, height, width): object i of the image is i + 1. Regions are drawn from torch's
        generator.
        """
        # Levels without anchors serve the finer ones alone.
        maps = self.pyramid(self.trunk(images))[: len(self.strides)]
        if targets is None:
            said = [torch.cat([m, self._asked(m)], 1).flatten(2) for m in maps]
            return torch.cat(said, 2)[..., None]
        return self._learnt(maps, targets[0].float().cpu().numpy(), targets[1])

    def _asked(self, features: Tensor) -> Tensor:
        out: Tensor = self.places(functional.relu(self.look(features)))
        return out

    def _learnt(self, maps: list[Tensor], boxes: Array, numbers: Tensor) -> Learnt:
        truths = [b[b[:, 4] >= 0] for b in boxes]
        edges = [t[:, :4].reshape(-1, 2, 2).astype(np.float64) for t in truths]
        kinds = [t[:, 4].astype(np.int64) for t in truths]
        pairs, regions = self._proposals(maps, edges, tuple(numbers.shape[1:]))
        weights: dict[str, float] = {}
        stands: list[Array] = []
        for i, limit in enumerate(self.limits):
            stands = [proposals.matched(r, e, low=limit, high=limit) for r, e in zip(regions, edges, strict=True)]
            if i == 0:
                at = [proposals.chosen(s, _draw(len(s)), count=REGIONS, share=HELD) for s in stands]
                regions = [r[a] for r, a in zip(regions, at, strict=True)]
                stands = [s[a] for s, a in zip(stands, at, strict=True)]
            out = self.heads[i](align(maps, regions, size=BOX, strides=self.strides))
            made, steps = self._judged(out, regions, edges, kinds=kinds, stands=stands, stage=i)
            pairs |= made
            weights |= {f"class{i}": WEIGHTS[i], f"box{i}": WEIGHTS[i]}
            if i + 1 < len(self.limits):
                regions = _stepped(regions, steps, SPREADS[i])
        pairs["mask"] = self._masked(maps, regions, kinds=kinds, stands=stands, numbers=numbers)
        return Learnt(pairs, weights)

    def _proposals(
        self, maps: list[Tensor], edges: list[Array], shape: tuple[int, ...]
    ) -> tuple[dict[str, tuple[Tensor, Tensor]], list[Array]]:
        said, grids = [], []
        for features, stride, sizes in zip(maps, self.strides, self.anchors, strict=True):
            n, per = len(features), len(sizes)
            said.append(self._asked(features).unflatten(1, (per, 5)).permute(0, 3, 4, 1, 2).reshape(n, -1, 5))
            grids.append(proposals.grid(features.shape[2:], stride, sizes))
        levels = np.repeat(np.arange(len(grids)), [len(g) for g in grids])
        anchors, flat = np.concatenate(grids), torch.cat(said, 1).float()
        plain = flat.detach().cpu().numpy()
        asked, there, steps, wanted, regions = [], [], [], [], []
        for i, truth in enumerate(edges):
            stands = proposals.matched(anchors, truth, low=NEAR[0], high=NEAR[1], rescue=True)
            at = proposals.chosen(stands, _draw(len(stands)), count=PLACES, share=0.5)
            held = at[stands[at] >= 0]
            asked.append(flat[i, torch.from_numpy(at).to(flat.device), 0])
            there.append(_tensor(stands[at] >= 0, flat))
            steps.append(flat[i, torch.from_numpy(held).to(flat.device), 1:])
            wanted.append(_tensor(proposals.steps(truth[stands[held]], anchors[held]).reshape(-1, 4), flat))
            found = proposals.propose(
                plain[i, :, 0], plain[i, :, 1:].reshape(-1, 2, 2), anchors, levels, shape=shape, counts=COUNTS
            )
            regions.append(np.concatenate([found, truth]))
        pairs = {"objectness": (torch.cat(asked), torch.cat(there)), "step": (torch.cat(steps), torch.cat(wanted))}
        return pairs, regions

    def _judged(
        self, out: Tensor, regions: list[Array], edges: list[Array], *, kinds: list[Array], stands: list[Array],
        stage: int,
    ) -> tuple[dict[str, tuple[Tensor, Tensor]], Array]:  # fmt: skip
        """The terms of one head, and float (r, 2, 2): its steps for all regions."""
        labels, wanted = [], []
        for region, edge, kind, stand in zip(regions, edges, kinds, stands, strict=True):
            held = stand >= 0
            labels.append(np.where(held, np.append(kind, 0)[stand] + 1, 0))
            wanted.append(proposals.steps(edge[stand[held]], region[held], SPREADS[stage]).reshape(-1, 4))
        held = torch.from_numpy(np.concatenate(stands) >= 0).to(out.device)
        steps = out[:, self.classes + 1 :]
        truth = torch.from_numpy(np.concatenate(labels)).to(out.device)
        pairs = {
            f"class{stage}": (out[:, : self.classes + 1], truth),
            f"box{stage}": (steps[held], _tensor(np.concatenate(wanted), out)),
        }
        return pairs, steps.detach().float().cpu().numpy().reshape(-1, 2, 2).astype(np.float64)

    def _masked(
        self, maps: list[Tensor], regions: list[Array], *, kinds: list[Array], stands: list[Array], numbers: Tensor
    ) -> tuple[Tensor, Tensor]:
        at = [np.flatnonzero(s >= 0)[:MASKS] for s in stands]
        boxes = [r[a] for r, a in zip(regions, at, strict=True)]
        which = [s[a] for s, a in zip(stands, at, strict=True)]
        crops = align(maps, boxes, size=MASK, strides=self.strides)
        spare = functional.pad(crops, (0, 0, 0, 0, 0, 0, 0, -len(crops) % TOGETHER))
        out = self.mask(spare)[: len(crops)]
        kind = np.concatenate([k[w] for k, w in zip(kinds, which, strict=True)])
        mine = out[torch.arange(len(out)), torch.from_numpy(kind).to(out.device)]
        truth = [cut(n, b, w + 1, size=2 * MASK) for n, b, w in zip(numbers.cpu().numpy(), boxes, which, strict=True)]
        return mine, _tensor(np.concatenate(truth), mine)


def cut(numbers: Array, edges: Array, which: Array, *, size: int, samples: int = 2) -> Array:
    """float32 (n, size, size): the share of each bin of each region that its object holds.

    Parameters
    ----------
    numbers
        int (height, width), one number an object.
    edges
        (n, 2, 2) regions in pixels.
    which
        (n,) number of the object of each.
    size, samples
        Bins along each axis, and pixels looked up along each axis of a bin.
    """
    where = []
    for axis, last in enumerate(numbers.shape):
        at = np.rint(positions(edges[:, 0, axis], edges[:, 1, axis], size=size, samples=samples)).astype(np.int64)
        where.append(np.clip(at, 0, last - 1))
    held = numbers[where[0][:, :, None], where[1][:, None, :]] == which[:, None, None]
    return np.asarray(held.reshape(-1, size, samples, size, samples).mean((2, 4)), np.float32)


def _stepped(regions: list[Array], steps: Array, spread: Sequence[float]) -> list[Array]:
    ends = np.cumsum([len(r) for r in regions])[:-1]
    return [proposals.moved(r, s, spread) for r, s in zip(regions, np.split(steps, ends), strict=True)]


def _draw(n: int) -> Array:
    array: Array = torch.rand(n).numpy()
    return array


def _tensor(values: Array, like: Tensor) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32)).to(like.device)
