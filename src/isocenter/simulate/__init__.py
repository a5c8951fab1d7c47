"""Phantoms and the physics of noise, for the demo, tests and benchmarks. Seeded; named as simulated everywhere."""

from __future__ import annotations

from isocenter.simulate.cohort import KINDS, checksum, cohort
from isocenter.simulate.noise import gaussian, poisson, rician, shading, smooth, speckle

__all__ = ["KINDS", "checksum", "cohort", "gaussian", "poisson", "rician", "shading", "smooth", "speckle"]
