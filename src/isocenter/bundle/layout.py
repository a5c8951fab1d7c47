"""What a bundle's folder holds, and which names and formats are legal.

bundle.json        {"format", "task", "method", "about", "origins", "files": {name: {"sha256", "bytes"}}, "made",
                   "fingerprint", "parent", "card"}
bundle.sha256      checksum of bundle.json
state.safetensors  arrays
*.onnx             exported networks
plan.json, card.md for people; checked like the rest, never read back (`train --plan` takes an edited plan.json)
"""

from __future__ import annotations

import re

FORMAT = 1
INDEX, SEAL, STATE, PLAN, CARD = "bundle.json", "bundle.sha256", "state.safetensors", "plan.json", "card.md"
# A bundle.json with the checksums of a million training images still fits.
INDEX_BYTES = 1 << 27
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def legal(name: str) -> bool:
    """Whether a file of a bundle may have this name: one plain file inside the folder, on every system.

    >>> legal("network.onnx"), legal("../x"), legal("a/b"), legal("a..b")
    (True, False, False, False)
    """
    return bool(NAME.fullmatch(name)) and ".." not in name and not name.endswith(".") and name not in (INDEX, SEAL)


def seal(digest: str) -> bytes:
    """Content of bundle.sha256, as `sha256sum` writes and checks it."""
    return f"{digest}  {INDEX}\n".encode("ascii")
