"""What ensembles of all questions share: the circumstances of one training among several."""

from __future__ import annotations

from dataclasses import replace

from isocenter.data import Progress, Watch

# Between the seeds of two members, so that `--seeds` of the whole meets none of them twice.
APART = 1000


def share_of(watch: Watch, index: int, count: int, seed: int) -> Watch:
    """The circumstances of one of several trainings: its part of folder, time and progress, and a seed far from others.

    Parameters
    ----------
    watch
        Of the whole.
    index, count
        Which training, of how many.
    seed
        Of the member, from 0; `watch.seed + APART * seed` is used.
    """
    folder = None if watch.folder is None else watch.folder / f"member{index}"
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)

    def report(progress: Progress) -> None:
        watch.report(replace(progress, what=f"member {index + 1}/{count}: {progress.what}",
                             share=(index + progress.share) / count, seconds_left=None))  # fmt: skip

    minutes = None if watch.minutes is None else watch.minutes / count
    return replace(watch, report=report, folder=folder, minutes=minutes, seed=watch.seed + APART * seed)
