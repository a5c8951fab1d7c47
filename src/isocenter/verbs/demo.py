"""An offline tour on images that come with the dependencies, and on a cohort drawn on the spot; one report."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from isocenter.bundle import shipped
from isocenter.data import Case, Image, Instances, Progress
from isocenter.errors import OutputError
from isocenter.io import read_image, write
from isocenter.report import MethodResult, Picture, Run, write_report
from isocenter.simulate import cohort
from isocenter.verbs._method import Method, resolve
from isocenter.verbs._options import Options, checked, reporter
from isocenter.verbs._pictures import picture
from isocenter.verbs._recipe import settings_of
from isocenter.verbs._text import duration, number
from isocenter.verbs.compare import Comparison, compare

SUBJECTS = 64
SIDE = 80
# Small enough for two laptop cores in half a minute; fixed in steps, so that every machine trains the same network.
STUDY: Mapping[str, Any] = {
    "unet.width": 12, "unet.depth": 3, "unet.study.epochs": 8, "unet.study.steps": 30, "unet.study.batch_size": 8,
    "unet.study.patch": [SIDE, SIDE],
}
CLASSICAL = ("histogram", "morphology")
# For the section of scikit-image: nuclei are some 14 pixels across, and darker than what lies around them.
NUCLEI: Mapping[str, Any] = {
    "rule": "local", "bright": False, "diameter": 14.0, "prominence": 0.2, "smallest": 0.15, "name": "nucleus",
}


@dataclass(frozen=True)
class Demo:
    """What the tour found.

    Parameters
    ----------
    report
        The page.
    comparison
        Methods on the simulated cohort.
    notes
        What was skipped and why.
    seconds
        Of the whole tour.
    """

    report: Path
    comparison: Comparison
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    exit_code: int = field(default=0)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "format": 1, "report": str(self.report), "seconds": round(self.seconds, 1), "notes": list(self.notes),
            "comparison": self.comparison.as_json(),
        }

    def lines(self) -> list[str]:
        """What was seen, and where the report is."""
        table = self.comparison.lines()
        kept = [line for line in table if not line.startswith(("next:", "report:"))]
        took = f"the tour took {duration(self.seconds)}"
        return [
            *kept,
            *[f"note: {n}" for n in self.notes],
            took,
            f"report: {self.report}",
            "next: isocenter look YOUR_FOLDER",
        ]


def demo(*, out: str | Path = "runs/demo", overwrite: bool = False, **options: Unpack[Options]) -> Demo:
    """The tour: a retina, a CT, nuclei of a section, a U-Net against classical methods; everything in one report.

    Parameters
    ----------
    out
        Folder of the report.
    overwrite
        Replace an earlier tour.

    Raises
    ------
    OutputError
        The folder holds something already, or cannot be written.
    """
    checked(options)
    folder = Path(out)
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise OutputError("the folder is not empty", where=str(folder), remedy="Pass --overwrite or name another")
    start = time.perf_counter()
    say = reporter(options)
    notes: list[str] = []
    parts = [*retina(notes)]
    say(Progress("retina answered", 0.05))
    parts.append(tissues())
    say(Progress("CT answered", 0.1))
    part, found = nuclei()
    parts.append(part)
    write(found, folder / "nuclei.csv", overwrite=overwrite)
    say(Progress("nuclei outlined", 0.15))
    compared, part = simulated(options, notes)
    run = Run(
        title="isocenter: a first tour", verb="demo", parts=(*parts, part),
        notes=("Nothing was downloaded: photograph and section come with scikit-image, the CT with pydicom.", *notes),
        facts={"research use only": "not a medical device, not for diagnosis or treatment"},
    )
    page = write_report(run, folder, overwrite=overwrite)
    return Demo(page, compared, tuple(notes), time.perf_counter() - start)


def retina(notes: list[str]) -> list[Run]:
    """Vessels of a photograph that the shipped bundle has never seen; no chapter where the bundle is absent."""
    if "retina-vessels" not in shipped():
        notes.append("the bundle retina-vessels is not in this installation: that chapter was skipped")
        return []
    from skimage import data

    photograph = np.ascontiguousarray(np.moveaxis(data.retina(), -1, 0))
    case = Case.of(Image.from_array(photograph, axes="cyx", modality="OP"), id="retina of scikit-image")
    method = resolve("retina-vessels")
    answer, seconds = _answered(method.object, case)
    share = float((answer.labels == 1).mean())
    text = f"{100 * share:.1f} % of the photograph is vessel; answered in {duration(seconds)} without torch"
    note = "There is no truth for this photograph: look, and judge for yourself." + _gate(method, case)
    card = dict(method.bundle.about.get("card") or {}) if method.bundle else {}
    return [_chapter("Vessels of a retina, by a shipped bundle", case, answer, method.name, text, note=note, card=card)]


def tissues() -> Run:
    """Classes of density in the CT slice that comes with pydicom, by Otsu's thresholds."""
    from pydicom.data import get_testdata_file

    path = get_testdata_file("CT_small.dcm", download=False)
    case = Case.of(read_image(str(path)), id="CT_small of pydicom")
    method = resolve("segment/histogram", settings=settings_of({"levels": 4, "target": -1, "name": "densest class"}))
    answer, seconds = _answered(method.object, case)
    area = answer.area_mm2("densest class")
    text = f"densest of four classes: {number(area)} mm²; answered in {duration(seconds)}"
    note = "Spacing and Hounsfield units come from the DICOM header; an area without a spacing would be refused."
    return _chapter("Densest tissue of a CT slice, by histogram", case, answer, "histogram", text, note=note)


def nuclei() -> tuple[Run, Instances]:
    """Nuclei of a stained section: outlines, their number, their sizes; by the shipped bundle, or else a watershed."""
    from skimage import data

    section = data.immunohistochemistry()
    photograph = np.ascontiguousarray(np.moveaxis(section, -1, 0))
    image = Image.from_array(photograph, axes="cyx", channels=("red", "green", "blue"), modality="SM")
    case = Case.of(image, id="ihc of scikit-image")
    # Of the two dyes only hematoxylin stains nuclei; DAB is the brown of what the antibody found.
    known = "nuclei" in shipped()
    method = resolve("nuclei") if known else resolve("instances/watershed_split", settings=settings_of(NUCLEI))
    title = f"Nuclei of a stained section, by {'a shipped bundle' if known else 'watershed'}"
    found, seconds = _answered(method.object, case)
    areas = found.areas
    text = f"{len(found)} nuclei; answered in {duration(seconds)}; the table beside this page has a row for each"
    note = "There is no truth for this section: look where neighbours were taken for one, and where nuclei are missed."
    note += _gate(method, case)
    card = dict(method.bundle.about.get("card") or {}) if method.bundle else {}
    part = _chapter(title, case, found, method.name, text, note=note, card=card)
    low, middle, high = np.percentile(areas, [10, 50, 90])
    facts = {
        "nuclei": str(len(found)), "median area": f"{middle:.0f} px",
        "8 of 10 lie within": f"{low:.0f} to {high:.0f} px",
        "share of the picture": f"{100 * areas.sum() / photograph[0].size:.1f} %",
        "stain": "hematoxylin, parted from DAB after Ruifrok and Johnston (2001)",
    }
    return replace(part, task="instances", facts=facts), found


def simulated(options: Options, notes: list[str]) -> tuple[Comparison, Run]:
    """A U-Net trained from scratch beside classical methods, on a cohort drawn on the spot."""
    from isocenter.verbs._report import comparison_run

    cases = cohort(SUBJECTS, seed=options.get("seed", 0), shape=(SIDE, SIDE))
    methods: Sequence[str] = ("unet", *CLASSICAL)
    if find_spec("torch") is None:
        notes.append("torch is not installed, so nothing was trained. Run: pip install 'isocenter[train]'")
        methods = CLASSICAL
    settings = STUDY if "unet" in methods else {}
    found = compare("segment", cases, methods=methods, settings=settings, **options)
    part = comparison_run(found, cases=cases, test=cases.split("test"))
    said = "These patients are simulated: the table shows how methods are compared, not how good they are in a clinic."
    return found, replace(part, title="A network against classical methods, on simulated CT", notes=(said, *part.notes))


def _gate(method: Method, case: Case) -> str:
    """That `predict` would refuse the image, where it lies outside the bundle's envelope; else nothing."""
    outside = None if method.envelope is None else method.envelope.refused(case.image())
    if outside is None:
        return ""
    return (
        f" `isocenter predict` would refuse it without --outside answer: {outside.reason} "
        f"(measured {outside.measured}, limit {outside.limit})."
    )


def _answered(predictor: Any, case: Case) -> tuple[Any, float]:
    start = time.perf_counter()
    answer = predictor.predict(case)
    return answer, time.perf_counter() - start


def _chapter(
    title: str,
    case: Case,
    answer: Any,
    method: str,
    text: str,
    *,
    note: str,
    card: Mapping[str, Any] | None = None,
) -> Run:
    drawn = picture(case, answer)
    pictures: tuple[Picture, ...] = () if drawn is None else (replace(drawn, text=text),)
    result = MethodResult(method, None, text, pictures)
    return Run(title=title, task="segment", headline=text, methods=(result,), notes=(note,), card=dict(card or {}))
