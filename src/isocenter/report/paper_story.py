"""What the record of a run tells a paper, looked up once for every language and every form."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ORDER = ("train", "val", "test")
FEW = "few_subjects"


@dataclass(frozen=True)
class Story:
    """A record, read for a paper.

    Parameters
    ----------
    record
        As `isocenter.verbs._record` writes it.
    """

    record: Mapping[str, Any]

    @property
    def data(self) -> Mapping[str, Any]:
        """What is said about the cases."""
        found: Mapping[str, Any] = self.record["data"]
        return found

    @property
    def verb(self) -> str:
        """What was done."""
        return str(self.record["verb"])

    @property
    def task(self) -> str:
        """The question."""
        return str(next(iter(self.methods.values()), {}).get("task") or self.data["task"])

    @property
    def splits(self) -> dict[str, Mapping[str, Any]]:
        """Counts by split: train, val, test, then others."""
        found = self.data["splits"]
        return {s: found[s] for s in (*ORDER, *(s for s in found if s not in ORDER)) if s in found}

    @property
    def apart(self) -> bool:
        """Whether no subject stands in two splits, by their numbers."""
        named = [row["subjects"] for row in self.splits.values()]
        return bool(self.data["subjects_known"]) and len(named) > 1 and sum(named) == self.data["subjects"]

    @property
    def methods(self) -> Mapping[str, Mapping[str, Any]]:
        """Name to what the record says of a method."""
        found: Mapping[str, Mapping[str, Any]] = self.record["methods"]
        return found

    @property
    def scores(self) -> dict[str, Mapping[str, Any]]:
        """Method to its scores, on the split that the run is about."""
        result = self.record["result"]
        if self.verb == "tune":
            result = result.get("test") or {}
        if "methods" in result:
            return dict(result["methods"])
        if self.verb == "train":
            return {next(iter(self.methods), "method"): result["val"]} if result.get("val") else {}
        return {str(result["method"]): result} if result.get("metrics") else {}

    @property
    def split(self) -> str:
        """The split that the scores are of; "" without scores."""
        return str(next(iter(self.scores.values()), {}).get("split", ""))

    @property
    def lead(self) -> tuple[str, str]:
        """Metric and target that lead; ("", "") without scores."""
        table = next(iter(self.scores.values()), {}).get("metrics") or {}
        for key, targets in table.items():
            alone = [t for t in targets if t != "all"]
            named = (self.data.get("positive"), *(alone if len(alone) == 1 else ()), "all", *targets)
            return key, str(next(t for t in named if t in targets))
        return "", ""

    @property
    def few(self) -> bool:
        """Whether the leading score rests on so few subjects that its interval carries no claim."""
        key, target = self.lead
        found = [s["metrics"].get(key, {}).get(target, {}) for s in self.scores.values()]
        return any(FEW in s.get("flags", ()) for s in found)

    @property
    def single(self) -> bool:
        """Whether a classification rests on one case a subject: then some intervals follow from formulas."""
        first = next(iter(self.scores.values()), {"n_cases": 0, "n_subjects": -1})
        return self.task == "classify" and bool(first["n_cases"] == first["n_subjects"])

    @property
    def modalities(self) -> list[str]:
        """Of the leading images, the most frequent first; without those that are unknown."""
        return [m for m in self._counts("modality") if m != "unknown"]

    @property
    def sizes(self) -> list[str]:
        """Sizes of the images in pixels, the most frequent first."""
        return list(self._counts("size"))

    @property
    def spacings(self) -> list[str]:
        """Spacings in mm, the most frequent first; without those that are unknown."""
        return [s for s in self._counts("spacing") if s != "unknown"]

    @property
    def refused(self) -> int:
        """Cases of the scored split that could not be answered or read."""
        return max((int(s.get("n_refused") or 0) for s in self.scores.values()), default=0)

    @property
    def tests(self) -> list[Mapping[str, Any]]:
        """Paired tests."""
        result = self.record["result"]
        found = (result.get("test") or {}) if self.verb == "tune" else result
        return list(found.get("tests") or ())

    @property
    def differences(self) -> list[Mapping[str, Any]]:
        """The paired bootstraps of the leading score; of a single class those of the mean, which is the same."""
        key, target = self.lead
        mine = [t for t in self.tests if t["metric"] == key and t["test"] == "paired bootstrap"]
        found = [t for t in mine if t["target"] == target]
        one = len(self.data["classes"]) == 1
        return [t for t in found or (mine if one else []) if t["difference"] is not None]

    def settled(self, name: str) -> bool:
        """Whether a method that is all recipe read some of it off the training set."""
        result = self.record["result"]
        took = ((result.get("training") or {}).get(name) or {}).get("seconds") is not None
        noted = any(n.startswith(f"{name} read its fields off train") for n in result.get("notes", ()))
        return not self.methods[name]["plan"].get("plan") and (noted or took or self.verb == "train")

    def networks(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Name and plan of every network."""
        return ((name, m["plan"]) for name, m in self.methods.items() if (m["plan"].get("network") or {}).get("name"))

    def used(self) -> set[str]:
        """Settings in use, as `isocenter.report.citing` asks for them."""
        found = {f"verb={self.verb}"} | {f"test={t['test'].split()[-1]}" for t in self.tests}
        found |= {"correction=holm"} if any(t.get("p_holm") is not None for t in self.tests) else set()
        found |= {"interval=bootstrap"} if self.scores else set()
        attack = self.record["arguments"].get("attack")
        found |= {f"attack={attack}"} if attack else set()
        for name, method in self.methods.items():
            found |= {f"{key.rpartition('.')[2]}={value}" for key, value in leaves(method["recipe"])}
            network = (method["plan"].get("network") or {}).get("name")
            learnt = bool(network) and (method["bundle"] is None or self.verb in ("train", "tune"))
            found |= {f"network={network}"} if network else set()
            found |= {f"optimiser={method['plan'].get('loop', {}).get('optimiser')}", "tool=torch"} if learnt else set()
            found |= {f"method={name}"}
        return found | {"tool=numpy", "tool=scipy"}

    def _counts(self, key: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        for by in self.data["images"].values():
            for text, n in by.get(key, {}).items():
                counts[text] = counts.get(text, 0) + n
        return dict(sorted(counts.items(), key=lambda item: -item[1]))


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Settings that are set, by dotted name.

    >>> list(leaves({"a": {"b": 1, "c": None}, "d": "x"}))
    [('a.b', 1), ('d', 'x')]
    """
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        elif value is not None and value != []:
            yield prefix + key, value


def told_settings(method: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a method that a paper tells: those that are on, and whatever somebody set.

    >>> told_settings({"recipe": {"a": False, "b": False, "c": 2}, "origins": {"b": "--set"}})
    {'b': False, 'c': 2}
    """
    own = method.get("origins") or {}
    return {k: v for k, v in leaves(method["recipe"]) if (v is not False and v != "") or k in own}


def spread(sizes: Sequence[str]) -> str:
    """Several sizes as one: the range of each axis; "" where they have different numbers of axes.

    >>> spread(["24 x 32", "30 x 28"]), spread(["24 x 32"]), spread(["24 x 32", "8 x 8 x 8"])
    ('24 to 30 x 28 to 32', '24 x 32', '')
    """
    rows = [[float(part) for part in size.split(" x ")] for size in sizes]
    if len({len(row) for row in rows}) != 1:
        return ""
    ends = [(min(axis), max(axis)) for axis in zip(*rows, strict=True)]
    return " x ".join(f"{low:g}" if low == high else f"{low:g} to {high:g}" for low, high in ends)


def number(value: float | None) -> str:
    """A number as a paper prints it: three decimals below 10, fewer above; whole numbers as they are.

    >>> number(0.81249), number(12), number(23.456), number(0.00025), number(None)
    ('0.812', '12', '23.46', '0.00025', 'undefined')
    """
    if value is None:
        return "undefined"
    if isinstance(value, int) or (float(value).is_integer() and abs(value) >= 10):
        return str(int(value))
    if value and abs(value) < 0.01:
        return f"{value:.{1 - math.floor(math.log10(abs(value)))}f}".rstrip("0")
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}" if abs(value) < 1000 else f"{value:.0f}"


def setting(value: Any) -> str:
    """A setting as a paper prints it: no false digits, two numbers as a range, other lists with semicolons.

    >>> setting(0.1), setting([-15.0, 15.0]), setting(["hat", "otsu"]), setting(True)
    ('0.1', '-15 to 15', 'hat; otsu', 'yes')
    """
    if isinstance(value, (list, tuple)):
        span = len(value) == 2 and all(isinstance(v, (int, float)) for v in value)
        return (" to " if span else "; ").join(map(setting, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def interval(score: Mapping[str, Any]) -> str:
    """A score with its bounds: ``0.812 (0.701 to 0.900)``; without bounds where there are none."""
    unit = f" {score['unit']}" if score.get("unit") else ""
    if score.get("low") is None or score.get("high") is None:
        return f"{number(score['value'])}{unit}"
    return f"{number(score['value'])}{unit} ({number(score['low'])} to {number(score['high'])})"
