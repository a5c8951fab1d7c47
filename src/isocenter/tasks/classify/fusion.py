"""Any mixture of images and facts of one case in one probability; a modality may be missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from isocenter.data import Before, Case, Cases, NotEvaluated, Plan, Probabilities, Watch, as_settings, knob, silent
from isocenter.errors import BundleError, InputError, LabelError, MissingExtraError, RecipeError
from isocenter.infer import ready
from isocenter.infer.memory import require
from isocenter.infer.plans import flaws
from isocenter.ops.array import Array
from isocenter.tasks.classify._fused import FUSIONS, JOINT, LATE, answers, checked, fused, stacked
from isocenter.tasks.classify._modalities import FACTS, Modalities, Seen, modalities_of
from isocenter.tasks.classify._removed import lines, removed
from isocenter.tasks.classify._represented import represented
from isocenter.tasks.classify._table import answered, decisions

if TYPE_CHECKING:
    from isocenter.fit.fusing import Samples

CONTENT, PRESENCE = SEES = ("content", "presence")
# Cases of each class that val must hold before anything is chosen on it.
FEWEST = 5
HEAD, ENCODER = "head/", (".onnx", "/input", "/output")


@dataclass(frozen=True)
class Branch:
    """What looks at the images of one role: residual blocks, each after the first at half the grid."""

    size: int | None = knob(None, "edge of the grid an image is brought to; None: 96 in 2D, 24 in 3D", unit="pixels",
                            low=4, high=512, tunable=True)
    width: int = knob(8, "channels of the first stage", low=1, high=256, tunable=True)
    depth: int = knob(3, "stages", low=1, high=6)
    tokens: int = knob(16, "numbers that each modality becomes", low=1, high=1024, tunable=True)


@dataclass(frozen=True)
class Learning:
    """How it learns."""

    dropout: float = knob(0.3, "share of modalities left out of each step", low=0, high=0.9, tunable=True,
                          source="Neverova et al. 2016")
    epochs: int | None = knob(None, "passes over train; None: 400 steps, 10 to 150 passes", low=1, high=100_000)
    batch_size: int = knob(8, "cases of a step", low=1, high=4096)
    learning_rate: float = knob(3e-3, "largest step of AdamW", low=1e-7, high=10, tunable=True)
    decay: float = knob(0.05, "weight decay", low=0, high=100, tunable=True, source="Loshchilov, Hutter, ICLR 2019")


@dataclass(frozen=True)
class Fusion:
    """The recipe of a network a role and of the facts, fused late, jointly, or by attention over what is present.

    Facts are standardised, with a column that says which are missing. Modalities are left out at random in training, so
    that a case may lack some. With fewer than five cases of a class in val nothing is chosen there: the last epoch
    stays, late fusion weighs alike, and probabilities stay as they are.

    Sources: Baltrusaitis et al., IEEE Trans. PAMI 41 (2019) 423; Ilse et al., ICML 2018; Neverova et al., IEEE Trans.
    PAMI 38 (2016) 1692; Huang et al., npj Digital Medicine 3 (2020) 136.

    Raises
    ------
    RecipeError
        A field of `before` that it cannot honour.
    """

    kind: str = knob(
        LATE, "late: each modality by itself, then a weighted mean of logits; joint: side by side through one layer; "
        "attention: a mean weighted case by case", choices=FUSIONS, tunable=True,
    )  # fmt: skip
    only: tuple[str, ...] = knob((), "roles and facts to look at, `facts` for all facts; none: all of train")
    required: tuple[str, ...] = knob((), "roles, or `facts`, without which there is no answer")
    sees: str = knob(CONTENT, "content; or presence: nothing but which modalities there are", choices=SEES)
    branch: Branch = knob(Branch, "what looks at images")
    learning: Learning = knob(Learning, "how it learns")
    before: Before = knob(Before, "intensity and window of images; default: CT, PET in one window, else each alone")

    def __post_init__(self) -> None:
        for field in ("spacing", "coarser", "channel", "denoise", "site"):
            if getattr(self.before, field) is not None:
                raise RecipeError(f"fusion makes no use of before.{field}", got=str(getattr(self.before, field)))
        if self.before.intensity in ("landmarks", "clahe"):
            raise RecipeError(f"fusion makes no use of before.intensity={self.before.intensity}",
                              remedy="Set it to standardise, foreground, percentile, window, rescale or none")
        if (self.before.intensity == "window") != (self.before.window is not None):
            raise RecipeError("a window needs before.intensity='window' and before.window together")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedFusion:
        """The fitted fusion; the watch's seed gives weights, order and what is left out.

        Raises
        ------
        LabelError
            A class of the set has no training case, or no case has a class.
        ResourceError
            The prepared images do not fit into memory.
        InputError
            There is no val; images that cannot be used; a fact that is text in one case and a number in another.
        RecipeError
            A name in `only` or `required` that train has not.
        MissingExtraError
            torch is not installed.
        """
        try:
            from isocenter.fit.fusing import Fused, fuse, network_files, tokens
        except ModuleNotFoundError as error:
            raise MissingExtraError("training a fusion", "train") from error
        cases, held = _labelled(train), _labelled(valid)
        if not held:
            raise InputError("there is nothing to validate on", where=valid.name, remedy="Use --val-from train")
        seen = modalities_of(
            cases, train, only=self.only, required=self.required, size=self.branch.size, before=self.before
        )
        own, val = (_samples(part, seen, train.classes, pixels=self.sees == CONTENT) for part in (cases, held))
        represented(train, own.truth)
        enough = _enough(val.truth, several=train.multilabel)
        networks = [self._network(plan) for plan in seen.roles.values()] if self.sees == CONTENT else []
        several = train.multilabel
        module, history = fuse(networks, own, val, self._how(Fused), several=several, watch=watch, choose=enough)
        arrays = network_files(module, list(seen.roles.values()), own)
        about = {
            "recipe": as_settings(self), "classes": list(train.classes), "modalities": seen.as_json(),
            "networks": networks, "history": history, "plan": _base(train, seen, cases).as_json(),
            "said": _void(cases, seen, self.only), "lead": _lead(cases),
            **({"network": {"name": "fusion", "kind": self.kind}} if networks else {}),
        }  # fmt: skip
        return _settled(about, arrays, (own, val), (tokens(module, val), enough))

    @property
    def fuses(self) -> str:
        """How it fuses; presence alone is one layer of which modalities there are."""
        return self.kind if self.sees == CONTENT else JOINT

    def _network(self, plan: Plan) -> dict[str, Any]:
        return {"name": "small", "rank": plan.rank, "channels": plan.channels, "outputs": self.branch.tokens, "seed": 0,
                "width": self.branch.width, "depth": self.branch.depth}

    def _how(self, kind: Any) -> Any:
        own = self.learning
        dropout = own.dropout if self.sees == CONTENT else 0.0
        return kind(self.fuses, self.branch.tokens, dropout, own.epochs, own.learning_rate, own.decay, own.batch_size)

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedFusion:
        """The fitted fusion that `FittedFusion.about` and `FittedFusion.state` described."""
        return FittedFusion(dict(about), dict(state))


@dataclass(frozen=True, eq=False, repr=False)
class FittedFusion:
    """A fitted fusion; encoders answer by onnxruntime, the rest by numpy.

    Parameters
    ----------
    about
        ``recipe``, ``plan`` (classes, thresholds, temperature), ``classes``, ``modalities``, ``networks``, ``history``,
        ``removed`` (by modality, what answers on val lose without it), ``said``.
    arrays
        Of each role ``encoderI.onnx`` (uint8), ``encoderI/input``, ``encoderI/output``; ``head/NAME``.

    Raises
    ------
    BundleError
        An array is missing or of another shape.
    """

    about: Mapping[str, Any]
    arrays: Mapping[str, Array]

    def __post_init__(self) -> None:
        try:
            tokens, networks = int(self.about["recipe"]["branch"]["tokens"]), len(self.about["networks"])
            made, kind, outputs = self.modalities, self.kind, len(self.about["classes"])
            wrong = [flaw for plan in (self.plan, *made.roles.values()) for flaw in flaws(plan)]
            width = made.coding.width
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecipeError) as error:
            raise BundleError("the description of the fusion cannot be read", got=str(error)) from error
        if kind not in FUSIONS or not made.names or networks not in (0, len(made.roles)) or wrong:
            raise BundleError("no such fusion", got=", ".join(wrong) or f"{kind} of {len(made.names)} modalities",
                              wanted=", ".join(FUSIONS))
        checked(self.head, kind=kind, count=len(made.names), tokens=tokens, outputs=outputs)
        parts: dict[str, tuple[int, ...]] = {f"encoder{i}/output": (1, tokens) for i in range(networks)}
        if width and self.about["recipe"]["sees"] == CONTENT:
            parts |= {f"{HEAD}facts.weight": (tokens, width), f"{HEAD}facts.bias": (tokens,)}
        whole = [f"encoder{i}{end}" for i in range(networks) for end in ENCODER]
        odd = [f"{name} missing" for name in dict.fromkeys((*whole, *parts)) if name not in self.arrays]
        odd += [f"{n} of another shape" for n, s in parts.items() if n in self.arrays and self.arrays[n].shape != s]
        if odd:
            raise BundleError("the arrays of the fusion do not fit", got=", ".join(odd))

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> Self:
        """The way back from `about` and `state`."""
        return cls(dict(about), dict(state))

    def state(self) -> dict[str, Array]:
        """Name to array."""
        return dict(self.arrays)

    @property
    def plan(self) -> Plan:
        """Classes, thresholds and temperature; axes and values of the leading images."""
        return Plan.from_json(self.about["plan"])

    @property
    def lead(self) -> str:
        """The role that leads most cases of train, on which the envelope is drawn."""
        return str(self.about["lead"])

    @property
    def modalities(self) -> Modalities:
        """What it looks at, and how."""
        return Modalities.from_json(self.about["modalities"])

    @property
    def kind(self) -> str:
        """How it fuses."""
        recipe = self.about["recipe"]
        return str(recipe["kind"]) if recipe["sees"] == CONTENT else JOINT

    @property
    def head(self) -> dict[str, Array]:
        """The parameters that are no encoder's, by name."""
        return {k.removeprefix(HEAD): v for k, v in self.arrays.items() if k.startswith(HEAD)}

    def predict(self, case: Case) -> Probabilities | NotEvaluated:
        """The probability of each class.

        NotEvaluated where a required modality is missing, all facts are, or pixels are not finite.

        Raises
        ------
        NotFoundError
            The case has nothing that the method looks at.
        InputError
            A film, an image of other axes or channels than in train, or a fact of another kind.
        """
        seen = self.modalities.seen(case, pixels=bool(self.about["networks"]))
        if isinstance(seen, NotEvaluated):
            return seen
        return answered(fused(self.head, self._tokens(seen)[None], seen.present[None], kind=self.kind)[0], self.plan)

    def _tokens(self, seen: Seen) -> Array:
        """(count, tokens), 0 where a modality is missing."""
        made, arrays = self.modalities, self.arrays
        out = np.zeros((len(made.names), int(self.about["recipe"]["branch"]["tokens"])))
        for i, (role, plan) in enumerate(made.roles.items()):
            if role in seen.images:
                network, given, answer = (arrays[f"encoder{i}{end}"] for end in ENCODER)
                out[i] = ready(network, given, answer, plan)(seen.images[role][None])[0]
        if f"{HEAD}facts.weight" in arrays and seen.present[-1]:
            out[-1] = arrays[f"{HEAD}facts.weight"].astype(np.float64) @ seen.facts + arrays[f"{HEAD}facts.bias"]
        return out


def _labelled(cases: Cases) -> list[Case]:
    return [case for case in cases if isinstance(case.truth(), Probabilities)]


def _lead(cases: Sequence[Case]) -> str:
    """The role that leads most cases."""
    return Counter(case.lead for case in cases).most_common(1)[0][0]


def _base(train: Cases, seen: Modalities, cases: Sequence[Case]) -> Plan:
    """The plan of the role that leads, or of facts alone one that says the classes."""
    plan = seen.roles.get(_lead(cases)) or next(iter(seen.roles.values()), None)
    if plan is not None:
        return plan
    rank = next((image.ndim for case in cases for image in case.images.values()), 2)
    return Plan("classify", rank, 1, train.classes, multilabel=train.multilabel, positive=train.positive)


def _samples(cases: Sequence[Case], made: Modalities, classes: Sequence[str], *, pixels: bool) -> Samples:
    """The cases that have what is required; InputError where pixels are not finite."""
    from isocenter.fit.fusing import Samples

    # What lacks too much is left out; what has it must be usable.
    kept = [case for case in cases if made.seen(case, pixels=False)]
    if not kept:
        raise LabelError("no case with a class has what is required", wanted=", ".join(made.required or made.names))
    grids = [(plan.channels, *(plan.size or ())) for plan in made.roles.values()] if pixels else []
    # Each is held by itself and, at the end, in one array.
    needed = 8 * len(kept) * sum(int(np.prod(grid)) for grid in grids)
    require(needed, what=f"the images of {len(kept)} cases", remedy="Set a smaller branch.size")
    found: list[tuple[Case, Seen]] = []
    for case in kept:
        seen = made.seen(case, pixels=pixels)
        if isinstance(seen, NotEvaluated):
            raise InputError(seen.reason, where=case.id, got=seen.measured, wanted=seen.limit)
        found.append((case, seen))
    images = tuple(
        np.stack([seen.images.get(role, np.zeros(grid, np.float32)) for _, seen in found])
        for role, grid in zip(made.roles, grids, strict=False)
    )
    facts = np.stack([seen.facts for _, seen in found]) if pixels else np.zeros((len(found), 0), np.float32)
    truth = [[cast("Probabilities", case.truth()).of(c) for c in classes] for case, _ in found]
    return Samples(images, facts, np.stack([seen.present for _, seen in found]), np.asarray(truth, np.float32))


def _void(train: Sequence[Case], seen: Modalities, only: Sequence[str]) -> list[str]:
    """What to say of facts that were asked for and are known in no case of train."""
    facts = dict.fromkeys(name for case in train for name in case.facts if not only or FACTS in only or name in only)
    return [f"{name}: known in no case of train, so not looked at" for name in facts if name not in seen.coding.facts]


def _enough(truth: Array, *, several: bool) -> bool:
    """Whether val holds enough cases of each class to choose anything on it."""
    least = truth.sum(axis=0).min()
    return bool(min(least, (len(truth) - truth.sum(axis=0)).min()) >= FEWEST if several else least >= FEWEST)


def _settled(
    about: dict[str, Any], arrays: dict[str, Array], sides: tuple[Samples, Samples], val: tuple[Array, bool]
) -> FittedFusion:
    """With what is chosen on val: shares of late fusion, temperature, thresholds; and what each modality is worth."""
    (train, valid), (seen, enough) = sides, val
    plan, recipe = Plan.from_json(about["plan"]), about["recipe"]
    names = Modalities.from_json(about["modalities"]).names
    head = {k.removeprefix(HEAD): v for k, v in arrays.items() if k.startswith(HEAD)}
    kind = str(recipe["kind"]) if recipe["sees"] == CONTENT else JOINT
    if kind == LATE:
        equal = np.full(len(names), 1 / len(names))
        each = answers(head, seen)
        head["shares"] = stacked(each, valid.present, valid.truth, several=plan.multilabel) if enough else equal
        arrays = {**arrays, f"{HEAD}shares": head["shares"]}
    if enough:
        logits = fused(head, seen, valid.present, kind=kind)
        about["plan"] = plan = decisions(plan, logits, np.asarray(valid.truth, float))
        about["plan"] = plan.as_json()

    def asked(present: Array) -> Array:
        return fused(head, seen * present[..., None], present, kind=kind)

    told = removed(names, asked, valid.present, valid.truth, plan=plan, known=train.present)
    said = [] if enough else [f"val holds fewer than {FEWEST} cases of a class: nothing was chosen on it"]
    return FittedFusion({**about, "removed": told, "said": [*about["said"], *said, *lines(told)]}, arrays)
