"""How a network studies: fingerprint of the data, plan, loop, export. The only layer beside `nets` that needs torch."""

from __future__ import annotations

from isocenter.fit.fingerprint import Fingerprint, fingerprint
from isocenter.fit.fitting import fitted
from isocenter.fit.planning import plan
from isocenter.fit.scheme import Loop, Scheme

__all__ = ["Fingerprint", "Loop", "Scheme", "fingerprint", "fitted", "plan"]
