"""The recipe values that learned methods share. None means that the plan decides, from the fingerprint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from isocenter.data.recipe import knob
from isocenter.errors import RecipeError

Range = tuple[float, float]


@dataclass(frozen=True)
class Spatial:
    """Spatial augmentation, drawn once per sample and applied to image and labels alike. A range of (0, 0) is off."""

    rotation: Range | None = knob(
        None, "rotation angle about each axis (in 2D: in the plane)", unit="degrees", low=-180, high=180
    )
    translation: Range | None = knob(None, "shift per axis as a share of the patch", low=-1, high=1)
    scaling: Range | None = knob(None, "factor of size, one for all axes", low=0.1, high=10)
    shear: Range | None = knob(None, "shear angle", unit="degrees", low=-60, high=60)
    flip: tuple[str, ...] | None = knob(
        None, "axes to flip with probability 1/2, of z, y, x; left-right only when said"
    )
    elastic: float | None = knob(None, "SD of a smooth random displacement", unit="pixels", low=0, high=50)


@dataclass(frozen=True)
class Intensity:
    """Intensity augmentation after normalisation (SD 1), drawn once per sample. 0 or (1, 1) is off."""

    gain: Range | None = knob(None, "factor of contrast about the mean", low=0, high=10)
    offset: float | None = knob(None, "largest shift of brightness", unit="SD", low=0, high=10)
    gamma: Range | None = knob(None, "exponent on the range of the patch", low=0.1, high=10)
    noise: float | None = knob(None, "largest SD of added Gaussian noise", unit="SD", low=0, high=10)
    blur: float | None = knob(None, "largest SD of a Gaussian blur", unit="pixels", low=0, high=20)
    low_resolution: float | None = knob(None, "largest factor of down- and up-sampling", low=1, high=10)


@dataclass(frozen=True)
class Adversarial:
    """Training samples changed, within a budget, to raise the network's own loss: it becomes harder to fool.

    The gradients take time, and accuracy on unchanged images is lost; both are reported. One step from a drawn start is
    fast adversarial training (Wong, Rice, Kolter, ICLR 2020), several are that of Madry et al. (ICLR 2018).
    """

    epsilon: float = knob(
        0.0, "largest change of a pixel, a share of the image's range (1/255 is one grey level of 8 bits); 0: none",
        low=0, high=1,
    )  # fmt: skip
    steps: int = knob(1, "gradients for each sample", low=1, high=50)
    step: float | None = knob(
        None, "length of one step, a share of epsilon; None: 1.25 for one step, else 2.5 / steps", low=0.01, high=2
    )
    share: float = knob(1.0, "share of each batch that is changed", low=0.01, high=1)
    rise: float = knob(0.3, "share of the training over which epsilon grows from 0", low=0, high=1)


@dataclass(frozen=True)
class Augment:
    """What is drawn anew for every training sample."""

    spatial: Spatial = knob(Spatial, "spatial augmentation")
    intensity: Intensity = knob(Intensity, "intensity augmentation")
    share: float | None = knob(None, "probability of each intensity step", low=0, high=1)
    adversarial: Adversarial = knob(Adversarial, "hardening against attacks (classes of an image or of its pixels)")


@dataclass(frozen=True)
class Study:
    """How a network learns."""

    epochs: int | None = knob(None, "passes; one pass is `steps` batches", low=1, high=100000)
    steps: int | None = knob(None, "batches per epoch", low=1, high=1000000)
    batch_size: int | None = knob(None, "samples per batch", low=1, high=4096, tunable=True)
    learning_rate: float | None = knob(None, "peak of the one-cycle schedule of AdamW", low=1e-7, high=10, tunable=True)
    patience: int | None = knob(
        None, "validations without a better score before stopping; 0 never stops", low=0, high=100000
    )
    patch: tuple[int, ...] | None = knob(None, "pixels per axis of one sample, array order", low=1, high=4096)
    augment: Augment = knob(Augment, "augmentation")


@dataclass(frozen=True)
class Imbalance:
    """What a classifier does about classes of uneven size and about labels that may be wrong. None: the plan decides.

    Weights and adjustment go by how often classes are drawn, so that nothing is made up for twice.

    Raises
    ------
    RecipeError
        Weights or adjustment of classes that are drawn equally often: there is nothing left to make up for.
    """

    sampling: str | None = knob(
        None,
        "how often classes are drawn: none (as they come), balanced (equally), sqrt (by the root of their cases); "
        "None: equally where one has more than 1.5 times the cases of another",
        choices=("none", "balanced", "sqrt"), tunable=True, source="Kang et al., ICLR 2020; Mahajan et al., ECCV 2018",
    )  # fmt: skip
    weights: str | None = knob(
        None, "what a class weighs in the loss: none, inverse (of its cases), effective (of their effective number)",
        choices=("none", "inverse", "effective"), source="Cui et al., CVPR 2019",
    )  # fmt: skip
    focal: float | None = knob(
        None, "exponent by which sure answers weigh less in the loss; 0: cross-entropy", low=0, high=10, tunable=True,
        source="Lin et al., ICCV 2017",
    )  # fmt: skip
    adjustment: float | None = knob(
        None, "how many times the log frequency of a class is added to its logit in training (tau); 0: none", low=0,
        high=4, source="Menon et al., ICLR 2021",
    )  # fmt: skip
    mixup: float | None = knob(
        None, "parameter alpha of the beta distribution by which pairs of images and their labels are mixed; 0: none",
        low=0, high=10, tunable=True, source="Zhang et al., ICLR 2018",
    )  # fmt: skip
    smoothing: float | None = knob(
        None, "share of the target spread over all classes", low=0, high=0.9, source="Szegedy et al., CVPR 2016"
    )

    def __post_init__(self) -> None:
        if self.sampling == "balanced" and (self.weights in ("inverse", "effective") or self.adjustment):
            raise RecipeError(
                "classes that are drawn equally often need neither weights nor adjustment",
                got=f"sampling=balanced, weights={self.weights}, adjustment={self.adjustment}",
                remedy="Set sampling to none or sqrt, or leave the others out",
            )


@dataclass(frozen=True)
class Pretraining:
    """What a network learns before it sees a label: to restore blocks that were masked, in every image of train.

    Images without truth take part, as self-supervision needs none (Pathak et al., CVPR 2016; Chen et al., Medical Image
    Analysis 58, 2019; Zhou et al., Medical Image Analysis 67, 2021).
    """

    epochs: int = knob(0, "passes of restoring; 0: none, and cases without truth are left out", low=0, high=100000)
    steps: int | None = knob(None, "batches per pass; None: as study.steps", low=1, high=1000000)
    share: float = knob(0.5, "share of each patch that is masked", low=0.05, high=0.95)
    block: int | None = knob(
        None, "side of a masked block; None: a sixteenth of the patch's longest side", unit="pixels", low=1, high=4096
    )


@dataclass(frozen=True)
class Before:
    """What happens to every image before a method sees it: the only place for such choices."""

    spacing: tuple[float, ...] | None = knob(
        None, "grid to resample to, array order; None: as the plan says", unit="mm or px", low=1e-4, high=1e4
    )
    coarser: float | None = knob(
        None, "how many times coarser than the images' own median grid a network sees them; None: as the plan says",
        low=1, high=16, tunable=True,
    )  # fmt: skip
    intensity: str | None = knob(
        None,
        "normalisation of values: of each image by itself (standardise: mean and SD; foreground: those of what is "
        "brighter than the mean; percentile; clahe: contrast of each part, 2D), as train says (window; landmarks: "
        "deciles moved onto those of train, against differences between devices), by the file's type (rescale), none",
        choices=("rescale", "standardise", "window", "percentile", "foreground", "landmarks", "clahe", "none"),
        source="Nyul, Udupa, Zhang, IEEE Trans. Medical Imaging 2000 (landmarks); Zuiderveld 1994 (clahe)",
    )
    window: Range | None = knob(None, "lowest and highest value for `window`, in the image's unit")
    channel: str | None = knob(
        None,
        "for methods of one channel: a channel name such as 'green', 'mean', or of colours hsv-hue, -saturation, "
        "-value, lab-lightness, -a, -b, he-hematoxylin, -eosin, hdab-hematoxylin, -dab",
    )
    denoise: str | None = knob(
        None, "smoothing first", choices=("none", "median", "gaussian", "bilateral", "nlm", "anisotropic")
    )
    site: str | None = knob(
        None,
        "for linear, boosting and mlp of classify: the fact that names site or device, whose shift and spread of each "
        "feature (learnt from train) are taken out; a site that train lacks is not evaluated",
        source="Johnson et al., Biostatistics 2007; Fortin et al., NeuroImage 2018 (ComBat)",
    )


@dataclass(frozen=True)
class After:
    """What happens to every answer: the only place for such choices."""

    largest: bool | None = knob(None, "keep only the largest connected part of each region")
    smallest: float | None = knob(None, "remove connected parts below this size", unit="pixels", low=0)
    fill: bool | None = knob(None, "fill holes of each region")
    mirror: tuple[str, ...] | None = knob(None, "axes of z, y, x whose mirrored answers are averaged; among the flips")
    overlap: float | None = knob(None, "share by which neighbouring windows overlap", low=0, high=0.9)


def pretraining_of(recipe: Any) -> Pretraining:
    """What a recipe says about pre-training, by itself or in its ``form``; none where it has no such field."""
    found = getattr(getattr(recipe, "form", recipe), "pretraining", None)
    return found if isinstance(found, Pretraining) else Pretraining()
