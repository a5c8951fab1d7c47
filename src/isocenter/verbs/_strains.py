"""What is done to the cases of a comparison: attacks within budgets, corruptions of a severity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from isocenter import catalog
from isocenter.data import Cases
from isocenter.errors import RecipeError, UsageError
from isocenter.verbs._method import EXPLAINED, Method
from isocenter.verbs._options import Studying
from isocenter.verbs._recipe import Settings

BUDGETS = {"linf": ("1/255", "2/255", "4/255"), "l2": ("0.5", "1", "2")}


@dataclass(frozen=True)
class Strain:
    """What is done to the cases.

    Parameters
    ----------
    name
        Of the attack or the corruption.
    levels
        As text, weakest first.
    attack
        Class of the attack; None: a corruption.
    settings
        Of the attack.
    """

    name: str
    levels: tuple[str, ...]
    attack: Any = None
    settings: Settings = Settings()

    @property
    def lead(self) -> str:
        """The level that leads: the middle one, of two the stronger."""
        return self.levels[len(self.levels) // 2]

    @property
    def amounts(self) -> tuple[float, ...]:
        """The levels as numbers."""
        return tuple(amount(level) for level in self.levels)


def amount(text: str | float) -> float:
    """A budget as a number; UsageError where it is none.

    >>> amount("1/4")
    0.25
    """
    try:
        return float(Fraction(str(text)))
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError("not a budget", got=str(text), wanted="a number such as 2/255 or 0.01") from error


def without(settings: Settings, options: Studying) -> Settings:
    """The settings that do not concern the attack: ``pgd.steps`` is no field of a method."""
    prefix = f"{options.get('attack')}."
    return Settings({k: v for k, v in settings.values.items() if not k.startswith(prefix)}, settings.origins)


def strains_of(
    asked: Sequence[Method], settings: Settings, options: Studying, *, cases: Cases
) -> tuple[Strain, ...]:
    """What is to be done to the cases, refused before anything learns.

    Raises
    ------
    UsageError
        Folds, budgets or severities that cannot be, or methods that this attack cannot take (names one that can).
    """
    attack, corrupt = options.get("attack"), tuple(options.get("corrupt") or ())
    if not attack and not corrupt:
        return ()
    if options.get("folds"):
        raise UsageError("an attack or a corruption needs one fitted method each", got="--folds",
                         remedy="Leave --folds out, or compare bundles")
    strains = []
    if attack:
        cls = catalog.find("attack", attack)
        own = settings.of(attack)
        texts = [str(e) for e in options.get("epsilon") or ()] or list(BUDGETS[_norm(cls, own)])
        levels = tuple(sorted(texts, key=amount))
        _within_range(_norm(cls, own), levels)
        strains.append(Strain(attack, levels, cls, own))
        for one in asked:
            _attackable(one, cls, attack)
    if corrupt:
        # What corrupts loads what `--help` can do without.
        from isocenter.inspect.worsening import settled

        names, severities = settled(corrupt, tuple(options.get("severity") or ()), modality=cases[0].image().modality)
        strains += [Strain(name, tuple(map(str, severities))) for name in names]
    return tuple(strains)


def _within_range(norm: str, levels: Sequence[str]) -> None:
    most = max(map(amount, levels))
    if min(map(amount, levels)) < 0 or (norm == "linf" and most > 1):
        raise RecipeError("epsilon is a share of the image's range", got=", ".join(levels), wanted="0 to 1",
                          remedy="2/255 allows a change of two grey levels of 8 bits")


def _norm(cls: Any, settings: Settings) -> str:
    default = getattr(cls, "norm", "linf")
    return str(settings.values.get("norm", default))


def _attackable(one: Method, cls: Any, name: str) -> None:
    if one.task not in EXPLAINED:
        raise UsageError("only answers that are classes of an image or of its pixels are attacked", got=one.task,
                         wanted=" or ".join(EXPLAINED), remedy="--corrupt NAME takes every task")
    if not needs_gradients(cls) or getattr(one.object, "opened", None) is not None or one.studies:
        return
    able = [m for m in catalog.methods("attack") if not needs_gradients(catalog.find("attack", m))]
    raise UsageError(f"{one.name} has no gradients for {name}", wanted="networks",
                     remedy=f"--attack {' or '.join(able)} takes any method")


def needs_gradients(cls: Any) -> bool:
    """Whether an attack takes networks alone."""
    return "Differentiable" in str(getattr(cls, "__annotations__", {}).get("of", ""))
