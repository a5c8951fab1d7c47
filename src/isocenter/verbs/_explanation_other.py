"""Explanations that are no map over the image: shares of facts, feature maps, exciting patches."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from isocenter.data import Case
from isocenter.data.findings.contributions import Contributions
from isocenter.data.findings.feature_maps import FeatureMaps
from isocenter.errors import UsageError
from isocenter.files import write_bytes
from isocenter.infer import limited
from isocenter.verbs._cases import chosen
from isocenter.verbs._method import Method, resolve
from isocenter.verbs._options import Reporting, checked, threads_of
from isocenter.verbs._pictures import shown
from isocenter.verbs._recipe import Settings, settings_of
from isocenter.verbs._text import counted, number, table

if TYPE_CHECKING:
    from isocenter.report import Run

COLUMNS = 4
# The method of contributions that do not add up.


def document(found: Contributions | FeatureMaps) -> dict[str, Any]:
    """Plain values."""
    if isinstance(found, FeatureMaps):
        return {"kind": "feature maps", "layer": found.layer, "channels": list(found.channels), "total": found.total}
    return {"kind": found.method, "target": found.target, "base": found.base, "answer": found.answer,
            "contributions": dict(found.items), "errors": dict(found.errors)}


def told(found: Contributions | FeatureMaps) -> list[str]:
    """Lines for people."""
    from isocenter.report.contributions import DROPPED, NAMED, headline

    if isinstance(found, FeatureMaps):
        size = f"{len(found.channels)} of {counted(found.total, 'channel')}"
        return [f"layer {found.layer}: {size}, those that vary most over the image",
                "bright is a strong output; a channel has no meaning by itself"]
    ordered = sorted(found.items.items(), key=lambda item: -abs(item[1]))
    if found.method == DROPPED:
        return [headline(found),
                *table(("modality", "adds to the log-odds"), [(k, number(v)) for k, v in ordered], right=(1,)),
                "each taken away alone: those that tell the same cover for one another"]
    if found.method == NAMED:
        return [headline(found), *table(("attribute (found with)", "adds to the log-odds"),
                                        [(k, number(v)) for k, v in ordered], right=(1,)),
                "before calibration; shares of this answer, no effects of the attributes on the patient"]
    rows = [(k, number(v), number(found.errors[k]) if k in found.errors else "exact") for k, v in ordered]
    return [headline(found), *table(("fact", "adds", "standard error"), rows, right=(1,)),
            "shares of this answer, no effects of the facts on the patient"]


def files_of(found: Contributions | FeatureMaps, case: Case) -> dict[str, bytes]:
    """File name to bytes: the values as JSON and a picture."""
    text = (json.dumps({"format": 1, **document(found)}, indent=1) + "\n").encode()
    if isinstance(found, Contributions):
        from isocenter.report.contributions import contribution_chart
        from isocenter.report.style import chart_style
        from isocenter.report.view import RESEARCH

        drawn = contribution_chart(found).file(chart_style(), RESEARCH).encode()
        return {f"{case.id}_{found.method}.json": text, f"{case.id}_{found.method}.svg": drawn}
    maps = io.BytesIO()
    np.save(maps, found.values)
    return {f"{case.id}_features.json": text, f"{case.id}_features.png": grid_of(found, case),
            f"{case.id}_features.npy": maps.getvalue()}


def page_of(found: Contributions | FeatureMaps, case: Case, *, asked: Method, explainer: Any, command: str = "") -> Run:
    """The page of one such explanation."""
    from isocenter.report import Run
    from isocenter.report.inside import Shares
    from isocenter.verbs._explanation import recipe_of, stamp

    one: Any
    if isinstance(found, Contributions):
        one = Shares(found, case.id, {name: _plain(value) for name, value in case.facts.items()})
        title, by = f"What added to {found.target}? {asked.name}", found.method
    else:
        one = _layer(found, case)
        title, by = f"Layer {found.layer} of {asked.name}", "features"
    files = case.image().source.files if case.images else ()
    return Run(
        title=title, task=asked.task, verb="explain", created=stamp(), command=command, headline=told(found)[0] + ".",
        plan=recipe_of(explainer), inside=(one,), facts={"explained by": by, "method": asked.name},
        made={"method": f"{asked.task}/{asked.method}", "notice": "research use only"},
        notes=("An explanation pictures the method, not the disease.",),
        identifiers=tuple(i for i in (case.id, case.subject, *files) if i),
    )  # fmt: skip


def _plain(value: Any) -> str:
    return "missing" if value is None else value if isinstance(value, str) else f"{value:g}"


def _layer(found: FeatureMaps, case: Case) -> Any:
    from isocenter.report.inside import LayerMaps

    values, array, z = _plane(found, case)
    text = "" if z is None else f"slice {z + 1} of {case.image().geometry.shape[0]}, where the maps vary most"
    return LayerMaps(shown(array, case.image()), values, found.channels, found.layer, found.total, case.id, text)


def _plane(found: FeatureMaps, case: Case) -> tuple[Any, Any, int | None]:
    """Maps and image (c, y, x) of one plane: of a volume the slice in which the maps vary most, and its number."""
    values, array = found.values, case.image().channels_first()
    if values.ndim < 4:
        return values, array, None
    z = int(np.argmax(values.std(axis=(2, 3)).sum(axis=0)))
    own = min(array.shape[1] - 1, int((z + 0.5) * array.shape[1] / values.shape[1]))
    return values[:, z], array[:, own], own


def grid_of(found: FeatureMaps, case: Case) -> bytes:
    """The image and every map as one PNG; of a volume the slice in which the maps vary most."""
    from isocenter.report import png
    from isocenter.report.tile_grid import Tile, tile_grid

    values, array, _ = _plane(found, case)
    tiles = [Tile(shown(array, case.image()), "the image")]
    tiles += [Tile(v, f"channel {c}") for c, v in zip(found.channels, values, strict=True)]
    title = f"Layer {found.layer}: {len(values)} of {counted(found.total, 'channel')}. Bright is a strong output."
    return png(tile_grid(tiles, columns=COLUMNS, title=title))


@dataclass(frozen=True)
class Excited:
    """The patches that excite channels most, and their picture.

    Parameters
    ----------
    patches
        Channel to its patches (`isocenter.tasks.explain.features.Patch`), the strongest first.
    of, data, split
        What was looked into, and at what.
    files
        What was written.
    """

    patches: Mapping[int, Sequence[Any]]
    of: str
    data: str
    split: str
    files: tuple[Path, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Where each patch lies."""
        rows = [{"channel": c, "case": p.case, "centre": list(p.centre), "value": p.value}
                for c, found in self.patches.items() for p in found]  # fmt: skip
        return {"format": 1, "of": self.of, "data": self.data, "split": self.split, "patches": rows,
                "files": list(map(str, self.files))}

    def lines(self) -> list[str]:
        """One line a channel."""
        head = f"what excites {self.of} most on {self.data}, split {self.split}"
        rows = [(str(c), ", ".join(f"{p.case} {number(p.value)}" for p in found)) for c, found in self.patches.items()]
        return [head, *table(("channel", "cases and outputs"), rows), *[f"wrote: {f}" for f in self.files]]


def excite(
    predictor: Any,
    data: Any,
    *,
    split: str = "val",
    settings: Mapping[str, Any] | Settings | None = None,
    out: str | Path | None = None,
    **options: Unpack[Reporting],
) -> Excited:
    """The patches of a split that excite the channels of a layer most.

    Parameters
    ----------
    predictor, data, split
        As in `isocenter.verbs._explain_over.explain_over`.
    settings
        Of ``explain/features``: ``layer``, ``most`` (channels), ``side`` (extent of a patch).
    out
        Folder of the picture and its JSON, or None.

    Raises
    ------
    UsageError
        The predictor is no network.
    """
    from isocenter.verbs._explain_over import truthful
    from isocenter.verbs.explain import explainer_of

    checked(options, Reporting)
    asked = resolve(predictor)
    explainer = explainer_of(asked, "features", settings=settings_of(settings))
    cases = chosen(truthful(data, asked, options), split)
    with limited(threads_of(options)):
        first = explainer.predict(cases[0])
        if not isinstance(first, FeatureMaps):
            raise UsageError(f"the first case gives no feature maps: {first.reason}", where=cases.name)
        found = explainer.exciting((e.open() for e in cases.entries), first.channels)
    made = Excited(found, asked.name, cases.name, split)
    if out is None:
        return made
    names = tuple(Path(out) / f"{asked.name}_{first.layer}_{n}" for n in ("patches.json", "patches.png"))
    made = Excited(found, asked.name, cases.name, split, names)
    overwrite = options.get("overwrite", False)
    write_bytes(names[0], (json.dumps(made.as_json(), indent=1) + "\n").encode(), overwrite=overwrite)
    write_bytes(names[1], _patch_grid(found, first.layer), overwrite=overwrite)
    return made


def _patch_grid(found: Mapping[int, Sequence[Any]], layer: str) -> bytes:
    from isocenter.report import png
    from isocenter.report.tile_grid import Tile, tile_grid

    tiles = []
    most = max((len(patches) for patches in found.values()), default=1)
    for channel, patches in found.items():
        flat = [p.pixels if p.pixels.ndim == 2 else p.pixels[p.pixels.shape[0] // 2] for p in patches]
        tiles += [Tile(f, f"channel {channel}: {number(p.value)}") for f, p in zip(flat, patches, strict=True)]
        tiles += [Tile(np.full((2, 2), 255.0))] * (most - len(patches))
    title = f"Layer {layer}: one row a channel, the patches that excite it most, one a case"
    return png(tile_grid(tiles, columns=most, title=title))
