"""isocenter: from medical images to results that can be trusted. Research use only.

Every name here is loaded when it is first used, so that `import isocenter` costs nothing.

>>> import isocenter as iso
>>> "train" in dir(iso)
True
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

_NAMES = {
    "Case": "isocenter.data",
    "Cases": "isocenter.data",
    "Image": "isocenter.data",
    "read": "isocenter.io",
    "write": "isocenter.io",
    "load": "isocenter.verbs.load",
    "look": "isocenter.verbs.look",
    "check": "isocenter.verbs.check",
    "split": "isocenter.verbs.split",
    "train": "isocenter.verbs.train",
    "tune": "isocenter.verbs.tune",
    "predict": "isocenter.verbs.predict",
    "predict_all": "isocenter.verbs._patient",
    "evaluate": "isocenter.verbs.evaluate",
    "compare": "isocenter.verbs.compare",
    "explain": "isocenter.verbs.explain",
    "measure": "isocenter.verbs.measure",
    "follow": "isocenter.verbs.follow",
    "mosaic": "isocenter.verbs.mosaic",
    "transform": "isocenter.verbs.transform",
}

__all__ = [*_NAMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("isocenter")
    elif name in _NAMES:
        value = getattr(importlib.import_module(_NAMES[name]), name)
    else:
        raise AttributeError(f"module 'isocenter' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if "IPython" in sys.modules:
    from isocenter.faces.notebook import register

    register()
