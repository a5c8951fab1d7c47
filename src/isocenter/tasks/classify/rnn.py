"""Recurrent network: learns what the slices of a volume, or the frames of a film, are in their order.

A small network sees every slice by itself; an LSTM or GRU runs along them both ways, so that what differs only in its
order is told apart. Sequences of any length are brought to the plan's number of slices by resampling along them, which
is part of the preparation: no slice is made up and none is masked, and the export answers without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from isocenter.data import Before, Cases, Study, Watch, knob, silent
from isocenter.data.study import Imbalance
from isocenter.ops.array import Array
from isocenter.tasks._study import studied

if TYPE_CHECKING:
    from isocenter.tasks.classify._sequence import FittedSequence

CELLS, POOLINGS = ("lstm", "gru"), ("attention", "mean", "max", "last")


@dataclass(frozen=True)
class Rnn:
    """The recipe of a recurrent network over slices or frames. None means that the plan decides.

    Sources: Hochreiter and Schmidhuber, Neural Computation 9 (1997) 1735; Cho et al., EMNLP 2014; Ilse et al., ICML
    2018; of temperature and threshold, which are chosen on val, Guo et al., ICML 2017.
    """

    # What the plan and the bundle call the network.
    network: ClassVar[str] = "recurrent"

    cell: str = knob("gru", "the recurrent layer", choices=CELLS, tunable=True)
    hidden: int = knob(64, "its units, each way", low=4, high=1024, tunable=True)
    pooling: str = knob(
        "attention", "what is taken of its answers along the sequence: a weighted mean whose weights are learnt, the "
        "mean, the maximum, or the last of each way", choices=POOLINGS, tunable=True,
    )  # fmt: skip
    slices: int | None = knob(
        None, "slices that it sees, evenly over the whole; None: as many as the median case has, at most 32",
        low=2, high=512, tunable=True,
    )  # fmt: skip
    imbalance: Imbalance = knob(Imbalance, "classes of uneven size, and labels that may be wrong")
    study: Study = knob(Study, "how it learns")
    before: Before = knob(Before, "what happens to every sequence first")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedSequence:
        """Trains on `train`; `valid` chooses the best weights, the temperature and the threshold.

        Raises
        ------
        MissingExtraError
            torch is not installed.
        InputError
            Images that are neither volumes nor films.
        IsocenterError
            As `isocenter.fit.fitted`.
        """
        from isocenter.tasks.classify._sequence import FittedSequence, as_sequences

        sides = as_sequences(train), as_sequences(valid)
        return studied(FittedSequence, self, *sides, watch=watch, head="sequence")

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedSequence:
        """The fitted network of a bundle; torch is not imported."""
        from isocenter.tasks.classify._sequence import FittedSequence

        return FittedSequence.from_state(about, state)
