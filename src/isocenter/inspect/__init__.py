"""What look, check and split compute: what is it, what is wrong with it, what leaks, what can it prove."""

from __future__ import annotations

from isocenter.inspect.checking import Check, check
from isocenter.inspect.copies import near_duplicates
from isocenter.inspect.cost import Cost, estimate
from isocenter.inspect.dividing import divide, kfold
from isocenter.inspect.exam import Exam, examine, fingerprint
from isocenter.inspect.leaking import Twin, leakage, twins
from isocenter.inspect.looking import Look, Picture, look
from isocenter.inspect.pixels import pixel_sha256
from isocenter.inspect.proof import Proof, proofs
from isocenter.inspect.writing import Written, write_split

__all__ = [
    "Check", "Cost", "Exam", "Look", "Picture", "Proof", "Twin", "Written", "check", "divide", "estimate", "examine",
    "fingerprint", "kfold", "leakage", "look", "near_duplicates", "pixel_sha256", "proofs", "twins", "write_split",
]
