"""Several modalities of one case in one answer: an encoder for each, and late, joint or attention fusion."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from isocenter.errors import RecipeError, nearest

LATE, JOINT, ATTENTION = FUSIONS = ("late", "joint", "attention")


class Fusing(nn.Module):  # type: ignore[misc]
    """A token for each modality (encoders of images; a linear layer of the facts), and what makes logits of tokens.

    ``late``: a linear classifier a modality, the mean of the logits of those present. ``joint``: tokens side by side,
    zeros where one is missing, and which are there, through one hidden layer. ``attention``: the mean of the tokens
    weighted by gated scores that are normalised over those present (Ilse et al., ICML 2018), then one linear layer.

    Parameters
    ----------
    encoders
        One a role, each from (n, c, *grid) to (n, tokens). Fewer than `count`: tokens without one stay 0.
    facts
        Numbers of the last modality; 0: there are no facts.
    outputs
        Classes.
    kind
        One of `FUSIONS`.
    tokens
        Numbers of a token.
    count
        Modalities.

    Raises
    ------
    RecipeError
        Another kind.
    """

    def __init__(
        self, encoders: Sequence[nn.Module], facts: int, outputs: int, *, kind: str, tokens: int, count: int
    ) -> None:
        super().__init__()
        if kind not in FUSIONS:
            raise RecipeError(f"no fusion {kind!r}", remedy=nearest(kind, FUSIONS))
        self.kind, self.width, self.count, self.outputs = kind, tokens, count, outputs
        self.encoders = nn.ModuleList(encoders)
        self.facts = nn.Linear(facts, tokens) if facts else None
        if kind == LATE:
            self.each = nn.ModuleList([nn.Linear(tokens, outputs) for _ in range(count)])
        elif kind == JOINT:
            self.hidden = nn.Linear(count * tokens + count, 2 * tokens)
            self.out = nn.Linear(2 * tokens, outputs)
        else:
            self.place = nn.Parameter(torch.zeros(count, tokens))
            self.gate, self.score = nn.Linear(tokens, tokens), nn.Linear(tokens, 1)
            self.out = nn.Linear(tokens, outputs)

    def seen(self, images: Sequence[Tensor], facts: Tensor, present: Tensor) -> Tensor:
        """Tokens (n, count, tokens), 0 where a modality is missing.

        Parameters
        ----------
        images
            (n, c, *grid) for each encoder; rows of cases that lack it are not looked at.
        facts
            (n, facts).
        present
            bool (n, count).
        """
        out = facts.new_zeros(len(present), self.count, self.width)
        for i, encoder in enumerate(self.encoders):
            here = present[:, i].nonzero()[:, 0]
            if len(here):
                out[here, i] = encoder(images[i][here])
        if self.facts is not None:
            out[:, -1] = self.facts(facts) * present[:, -1:]
        return out

    def answers(self, tokens: Tensor) -> Tensor:
        """``late`` alone: logits (n, count, outputs) of each modality by itself."""
        return torch.stack([layer(tokens[:, i]) for i, layer in enumerate(self.each)], 1)

    def fused(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Logits (n, outputs) of tokens (n, count, tokens) and who is present, bool (n, count), at least one a row."""
        there = present.to(tokens.dtype)
        if self.kind == LATE:
            shares = there / there.sum(1, keepdim=True)
            return (self.answers(tokens) * shares[..., None]).sum(1)
        if self.kind == JOINT:
            flat = torch.cat([(tokens * there[..., None]).flatten(1), there], 1)
            joined: Tensor = self.out(torch.relu(self.hidden(flat)))
            return joined
        placed = tokens + self.place
        scores = self.score(torch.tanh(self.gate(placed)))[..., 0].masked_fill(~present, float("-inf"))
        pooled = (placed * scores.softmax(1)[..., None]).sum(1)
        out: Tensor = self.out(pooled)
        return out

    def forward(self, images: Sequence[Tensor], facts: Tensor, present: Tensor) -> Tensor:
        """Logits (n, outputs); arguments as of `seen`."""
        return self.fused(self.seen(images, facts, present), present)
