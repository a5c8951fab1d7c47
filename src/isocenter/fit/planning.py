"""From the fingerprint and the recipe to the plan: every choice with its reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from isocenter.data import After, Augment, Before, Normalisation, Plan, Study
from isocenter.errors import RecipeError
from isocenter.fit import questions
from isocenter.fit.adversarial import gradients, possible
from isocenter.fit.augment import resolved
from isocenter.fit.fingerprint import Fingerprint
from isocenter.fit.network import LEAST, deepest, describe, numbers
from isocenter.fit.pretraining import resolved as pretraining_resolved
from isocenter.fit.scheme import Scheme
from isocenter.ops.windows import multiple

# Of the working grid: pixels across the thinnest region, of the shorter side.
ACROSS, SHORTER = 12.0, 256
# Pixels of one training patch, and of one batch.
PATCH = {2: 256 * 256, 3: 48 * 56 * 48}
BATCH = {2: 4 * 256 * 256, 3: 2 * 40 * 56 * 40}
# Pixels of the largest window of an answer.
WINDOW = {2: 1024 * 1024, 3: 96 * 96 * 96}
# Bytes of the truth per pixel of a prepared case, by the kind of answer.
TRUTH = {"segment": 1, "contours": 4, "rcnn": 4, "register": 2}
# Seconds of one core per number that a batch makes, forwards and backwards (measured on five networks in bf16).
SECONDS = 5e-9

Origins = dict[str, str]


def plan(recipe: Any, fingerprint: Fingerprint) -> Scheme:
    """The whole plan.

    Parameters
    ----------
    recipe
        A method of networks: fields ``network``, ``study`` and, where it has them, ``width``, ``depth``, ``dropout``,
        ``residual``, ``smoothing``, ``before``, ``after``. None means that the plan decides.
    fingerprint
        Of the training cases.

    Raises
    ------
    RecipeError
        A choice that networks do not offer, or that does not fit the data (a 2D patch for 3D images).
    """
    origins: Origins = {}
    question = questions.of(fingerprint.head or fingerprint.task)
    before: Before = getattr(recipe, "before", None) or Before()
    _refused(before)
    spacing, size = question.grid(recipe, fingerprint, origins) or _grid(fingerprint, before, origins)
    grid = _working(fingerprint.median, fingerprint, spacing, size)
    largest = _working(fingerprint.largest, fingerprint, spacing, size)
    channels = 1 if fingerprint.grey else fingerprint.channels
    patch = _patch(recipe, fingerprint, grid, spacing, origins)
    network, divisor = _network(recipe, fingerprint, patch, spacing, channels, origins)
    whole = multiple(patch, divisor)
    if whole != patch:
        said = origins.get("study.patch", "the image whole")
        origins["study.patch"] = f"{said}; rounded up to a multiple of {divisor}"
    patch = whole
    after: After = getattr(recipe, "after", None) or After()
    possible(question, recipe.study)
    study = _study(recipe.study, fingerprint, patch, origins)
    flips = study.augment.spatial.flip or ()
    made = Plan(
        fingerprint.task,
        fingerprint.rank,
        channels,
        fingerprint.classes,
        spacing,
        size,
        _normalisation(fingerprint, before, origins),
        _window(patch, largest, divisor) if question.dense else (),
        divisor,
        multilabel=fingerprint.multilabel,
        positive=fingerprint.positive,
        orientation=fingerprint.orientation,
        head=fingerprint.head,
        settings=question.settings(recipe, fingerprint, grid, origins),
        **_answering(after, flips, origins),
    )
    loop = replace(question.loop(recipe, fingerprint, origins), precision=_precision(network, patch, origins))
    pretraining = pretraining_resolved(recipe, study, origins)
    made_so_far = Scheme(made, network, study, loop, origins, pretraining=pretraining)
    steps = made_so_far.steps_before + made_so_far.steps
    estimate = {
        "case_mb": round(case_mb(made, fingerprint, grid), 4),
        "core_minutes": round(steps * gradients(study) * activations(network, study, grid) * SECONDS / 60, 1),
    }
    return replace(made_so_far, estimate=estimate)


def _refused(before: Before) -> None:
    if before.denoise not in (None, "none"):
        raise RecipeError(
            "networks learn their own smoothing",
            got=f"before.denoise={before.denoise}",
            remedy="Leave before.denoise out",
        )
    if before.site is not None:
        raise RecipeError("networks make no use of before.site", got=before.site,
                          remedy="Leave it out; against differences between devices set before.intensity=landmarks")
    if before.channel is not None:
        raise RecipeError(
            "networks see all channels", got=f"before.channel={before.channel}", remedy="Leave before.channel out"
        )


def _grid(fp: Fingerprint, before: Before, origins: Origins) -> tuple[tuple[float, ...] | None, tuple[int, ...] | None]:
    if before.spacing is not None:
        origins["plan.spacing"] = "recipe"
        if len(before.spacing) != fp.rank:
            raise RecipeError(
                "before.spacing does not fit the images", got=str(before.spacing), wanted=f"{fp.rank} numbers"
            )
        return before.spacing, None
    question = questions.of(fp.head or fp.task)
    if before.coarser is not None:
        return _coarser(fp, before.coarser, origins, keeps_grid=question.keeps_grid)
    if not question.dense:
        longest = question.longest[fp.rank]
        factor = max(1.0, max(fp.median) / longest)
        origins["plan.size"] = f"fingerprint: median grid {fp.median}, longer side at most {longest}"
        return None, tuple(max(8, round(s / factor)) for s in fp.median)
    if fp.rank == 3:
        origins["plan.spacing"] = (
            "fingerprint: median spacing" if fp.spacing else "fingerprint: spacing unknown, each image's own grid"
        )
        return fp.spacing, None
    if question.keeps_grid:
        origins["plan.size"] = "default: every image on its own pixels"
        return None, None
    thinnest = min(fp.thickness.values(), default=math.inf)
    factor = min(thinnest / ACROSS, min(fp.median) / SHORTER)
    said = f"thinnest region {thinnest:.3g} px across, median grid {fp.median}"
    if factor < 1.5:
        origins["plan.size"] = f"fingerprint: {said}: full resolution"
        return (fp.spacing, None) if fp.spacing and fp.varied else (None, None)
    if fp.spacing and fp.varied:
        origins["plan.spacing"] = f"fingerprint: {said}: {factor:.2f} times coarser than the median spacing"
        return tuple(round(s * factor, 4) for s in fp.spacing), None
    origins["plan.size"] = f"fingerprint: {said}: {factor:.2f} times coarser"
    return None, tuple(round(s / factor / 32) * 32 for s in fp.median)


def _coarser(
    fp: Fingerprint, factor: float, origins: Origins, *, keeps_grid: bool
) -> tuple[tuple[float, ...] | None, tuple[int, ...] | None]:
    if keeps_grid:
        raise RecipeError("the method keeps every image's own pixels", got=f"before.coarser={factor}")
    if fp.spacing and fp.varied:
        origins["plan.spacing"] = "recipe"
        return tuple(round(s * factor, 4) for s in fp.spacing), None
    origins["plan.size"] = "recipe"
    return None, tuple(max(8, round(s / factor)) for s in fp.median)


def _working(
    shape: Sequence[int], fp: Fingerprint, spacing: Sequence[float] | None, size: tuple[int, ...] | None
) -> tuple[int, ...]:
    if size is not None:
        return size
    if spacing is None or fp.spacing is None:
        return tuple(shape)
    return tuple(max(1, round(n * have / want)) for n, have, want in zip(shape, fp.spacing, spacing, strict=True))


def _patch(
    recipe: Any, fp: Fingerprint, grid: tuple[int, ...], spacing: Sequence[float] | None, origins: Origins
) -> tuple[int, ...]:
    asked: tuple[int, ...] | None = recipe.study.patch
    if asked is not None:
        origins["study.patch"] = "recipe"
        if len(asked) != fp.rank:
            raise RecipeError("study.patch does not fit the images", got=str(asked), wanted=f"{fp.rank} numbers")
        return asked
    if not questions.of(fp.head or fp.task).dense:
        return grid
    # One length for all axes that do not fit whole, in millimetres where they are known.
    unit = spacing or (1.0,) * fp.rank
    low, high = 0.0, max(n * u for n, u in zip(grid, unit, strict=True))
    for _ in range(40):
        side = (low + high) / 2
        fits = math.prod(min(n, side / u) for n, u in zip(grid, unit, strict=True)) <= PATCH[fp.rank] * 1.01
        low, high = (side, high) if fits else (low, side)
    patch = tuple(
        n if n <= low / u * 1.001 else max(16, round(low / u / 16) * 16) for n, u in zip(grid, unit, strict=True)
    )
    whole = "the median image whole" if patch == tuple(grid) else "a part of the image"
    origins["study.patch"] = f"fingerprint: {whole}, at most {PATCH[fp.rank]} pixels"
    return patch


def _network(
    recipe: Any,
    fp: Fingerprint,
    patch: tuple[int, ...],
    spacing: Sequence[float] | None,
    channels: int,
    origins: Origins,
) -> tuple[dict[str, Any], tuple[int, ...]]:
    question = questions.of(fp.head or fp.task)
    base = {"name": recipe.network, "rank": fp.rank, "channels": channels, "outputs": question.outputs(fp), "seed": 0}
    own = question.network(recipe, fp, patch, base, origins)
    if own is not None:
        return own
    network, divisor = describe(recipe, fp, patch, spacing, channels, origins)
    return network | {"outputs": question.outputs(fp)}, divisor


def _window(patch: Sequence[int], largest: Sequence[int], divisor: Sequence[int]) -> tuple[int, ...]:
    whole = multiple(largest, divisor)
    if math.prod(whole) <= WINDOW[len(patch)]:
        return tuple(max(w, p) for w, p in zip(whole, patch, strict=True))
    return tuple(patch)


def _normalisation(fp: Fingerprint, before: Before, origins: Origins) -> Normalisation:
    kind = before.intensity
    origins["plan.normalisation"] = "recipe"
    if before.window is not None and kind in (None, "window"):
        low, high = before.window
        return Normalisation("window", low, high, (low + high) / 2, (high - low) / 4)
    if kind is None:
        kind = "window" if fp.modality == "CT" else "standardise"
        why = (
            "CT: one window for all, from percentiles of train"
            if kind == "window"
            else "values mean something within one image only"
        )
        origins["plan.normalisation"] = f"fingerprint: {why}"
    if kind == "window":
        return Normalisation("window", fp.low, fp.high, fp.mean, fp.sd or 1.0)
    if kind == "landmarks":
        origins["plan.normalisation"] = f"recipe: landmarks of {fp.n + fp.unlabelled} images of train"
        return Normalisation(kind, landmarks=fp.landmarks)
    if kind == "clahe" and fp.rank != 2:
        raise RecipeError("contrast is equalised in two axes", got=f"before.intensity=clahe for {fp.rank}D images",
                          remedy="Set before.intensity to landmarks or foreground")
    return Normalisation(kind)


def _answering(after: After, flips: tuple[str, ...], origins: Origins) -> dict[str, Any]:
    given = {f.name: getattr(after, f.name) for f in fields(after) if getattr(after, f.name) is not None}
    origins.update({f"plan.{n}": "recipe" for n in given})
    unseen = sorted(set(given.get("mirror", ())) - set(flips))
    if unseen:
        raise RecipeError(
            "the network never saw such mirrored images",
            got=f"after.mirror {', '.join(unseen)}; flips {', '.join(flips) or 'none'}",
            remedy="Set study.augment.spatial.flip as well",
        )
    return given


def _study(study: Study, fp: Fingerprint, patch: tuple[int, ...], origins: Origins) -> Study:
    batch = max(2, min(16, round(BATCH[fp.rank] / math.prod(patch)), fp.n))
    defaults = questions.of(fp.head or fp.task).study(fp, batch) | {"patch": patch}
    values = {}
    for name, value in defaults.items():
        mine = getattr(study, name)
        values[name] = value if mine is None or name == "patch" else mine
        origins.setdefault(f"study.{name}", "default" if mine is None else "recipe")
    return replace(study, **values, augment=_augment(study.augment, fp, origins))


def _augment(asked: Augment, fp: Fingerprint, origins: Origins) -> Augment:
    photo = fp.rank == 2 and not fp.grey and fp.channels == 3
    flips: tuple[str, ...] = ()
    if photo or fp.modality in ("OP", "SM"):
        flips, why = ("y", "x"), "a colour photograph (fundus, microscopy, skin): both sides and every turn occur"
        if asked.spatial.flip is None:
            origins["study.augment.spatial.flip"] = f"fingerprint: {why}"
    defaults = questions.of(fp.head or fp.task).augment(fp, photo=photo)
    flips = flips or defaults.spatial.flip or ()
    made = resolved(asked, replace(defaults, spatial=replace(defaults.spatial, flip=flips)))
    for group in ("spatial", "intensity"):
        for f in fields(getattr(made, group)):
            said = getattr(getattr(asked, group), f.name) is not None
            origins.setdefault(f"study.augment.{group}.{f.name}", "recipe" if said else "default")
    return made


def _precision(network: dict[str, Any], patch: Sequence[int], origins: Origins) -> str:
    # On smaller grids the CPU kernels of torch 2.13 read memory that nobody wrote for gradients in bf16: they are
    # neither right nor the same twice.
    pixels = deepest(network, patch)
    safe = pixels is not None and pixels >= LEAST
    left = "an unknown number of" if pixels is None else str(pixels)
    origins["loop.precision"] = f"fingerprint: {left} pixels at the deepest stage, bf16 from {LEAST}"
    return "bf16" if safe else "fp32"


def activations(network: dict[str, Any], study: Study, grid: Sequence[int]) -> float:
    """Numbers that one batch makes on its way through the network, roughly."""
    pixels = math.prod(study.patch or grid) * int(study.batch_size or 1)
    if "strides" in network:
        return pixels * numbers(network)
    return pixels * 2 * float(network["sizes"][0] * 2 if "sizes" in network else network.get("width", 64))


def case_mb(made: Plan, fp: Fingerprint, grid: Sequence[int]) -> float:
    """Memory of one prepared case: image and truth on the working grid, mean over cases.

    Parameters
    ----------
    made
        The plan.
    fp, grid
        Facts about the training cases, and the working grid of the median image.
    """
    larger = max(1.0, fp.pixels / math.prod(fp.median)) if made.size is None else 1.0
    return larger * math.prod(grid) * (4 * made.channels + TRUTH.get(made.kind, 0)) / 2**20
