"""What networks of two and three axes are made of."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from isocenter.errors import RecipeError, nearest

CONVOLUTION = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
INSTANCE = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
BATCH = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
POOL = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
NORMS = ("instance", "batch", "group")


def norm(kind: str, rank: int, channels: int) -> nn.Module:
    """A normalisation layer with learnt scale and shift.

    Parameters
    ----------
    kind
        ``"instance"``, ``"batch"`` or ``"group"`` (groups of at least 8 channels).
    rank
        2 or 3 spatial axes.
    channels
        Of its input.

    Raises
    ------
    RecipeError
        Another kind.
    """
    if kind == "instance":
        return INSTANCE[rank](channels, affine=True)
    if kind == "batch":
        return BATCH[rank](channels)
    if kind == "group":
        return nn.GroupNorm(
            max(g for g in (1, 2, 4, 8) if channels % g == 0 and channels // g >= min(8, channels)), channels
        )
    raise RecipeError(f"no normalisation {kind!r}", remedy=nearest(kind, NORMS))


def convolution(
    rank: int,
    inputs: int,
    outputs: int,
    *,
    stride: Sequence[int] = (),
    kernel: int | Sequence[int] = 3,
    dilation: int = 1,
) -> nn.Module:
    """A convolution without bias that keeps the grid but for `stride`; `kernel` is odd, one number or one per axis."""
    size = (kernel,) * rank if isinstance(kernel, int) else tuple(kernel)
    padding = tuple(dilation * (k // 2) for k in size)
    return CONVOLUTION[rank](inputs, outputs, size, tuple(stride) or 1, padding, dilation, bias=False)


def enlarged(x: Tensor, factor: Sequence[int]) -> Tensor:
    """(n, c, *grid) to (n, c, *grid x factor), linearly; whole numbers, one per axis."""
    if all(f == 1 for f in factor):
        return x
    mode = "trilinear" if x.ndim == 5 else "bilinear"
    out: Tensor = functional.interpolate(x, scale_factor=[float(f) for f in factor], mode=mode, align_corners=False)
    return out


class Block(nn.Module):  # type: ignore[misc]
    """Two convolutions, each with normalisation and leaky ReLU; optionally residual (He et al. 2016).

    Parameters
    ----------
    rank, inputs, outputs
        Spatial axes and channels.
    stride
        Of the first convolution, per axis.
    kind
        As in `norm`.
    residual
        Adds the input (projected where shapes differ) before the last activation.
    kernels
        Of the two convolutions; each odd, one number or one per axis.
    """

    def __init__(
        self,
        rank: int,
        inputs: int,
        outputs: int,
        *,
        stride: Sequence[int] = (),
        kind: str = "instance",
        residual: bool = False,
        kernels: tuple[int | Sequence[int], int | Sequence[int]] = (3, 3),
    ) -> None:
        super().__init__()
        self.conv1 = convolution(rank, inputs, outputs, stride=stride, kernel=kernels[0])
        self.norm1 = norm(kind, rank, outputs)
        self.conv2 = convolution(rank, outputs, outputs, kernel=kernels[1])
        self.norm2 = norm(kind, rank, outputs)
        self.act = nn.LeakyReLU(0.01, inplace=True)
        moved = inputs != outputs or any(s != 1 for s in stride)
        self.skip: nn.Module | None = None
        if residual:
            self.skip = convolution(rank, inputs, outputs, stride=stride, kernel=1) if moved else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, *grid) to (n, outputs, *grid / stride)."""
        y = self.norm2(self.conv2(self.act(self.norm1(self.conv1(x)))))
        if self.skip is not None:
            y = y + self.skip(x)
        out: Tensor = self.act(y)
        return out


def initialised(module: nn.Module, slope: float = 0.01) -> None:
    """He initialisation of every convolution (He et al. 2015), drawn from torch's current random state."""
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)):
            nn.init.kaiming_normal_(part.weight, a=slope)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
