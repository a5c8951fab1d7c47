"""Keyed codes in place of whatever may name a person."""

from __future__ import annotations

import hashlib
import hmac
import re
import shlex
import unicodedata
from collections.abc import Callable, Iterable

from isocenter.errors import UsageError

LENGTH = 12
# Words that name no person although they stand in paths and identifiers.
COMMON = frozenset(
    (
        "data",
        "image",
        "images",
        "label",
        "labels",
        "mask",
        "masks",
        "train",
        "val",
        "test",
        "home",
        "root",
        "user",
        "users",
        "case",
        "cases",
        "patient",
        "patients",
        "subject",
        "subjects",
        "person",
        "persons",
        "series",
        "study",
        "studies",
        "dicom",
        "nifti",
        "scan",
        "scans",
        "slice",
        "frame",
        "session",
        "sessions",
        "control",
        "normal",
        "left",
        "right",
        "array",
        "none",
        "unknown",
        "background",
        "foreground",
        "file",
        "files",
        "folder",
        "table",
        "manifest",
        "isocenter",
        "report",
    )
)
_PATH = re.compile(
    r"""(?<![\w/\\:.])(?:[A-Za-z]:[\\/]|\\\\|~?/|\.{1,2}[\\/])[^\s"'<>|;,)]+"""
    r"""|[^\s"'<>|;,()=]+\.(?:nii(?:\.gz)?|dcm|ima|png|jpe?g|tiff?|np[yz]|csv|tsv|xlsx|parquet|mha|mhd|nrrd|zip|bundle)"""
    r"""(?:\#[\w\[\]]+)?(?![\w.])""",
    re.IGNORECASE,
)
_UID = re.compile(r"(?<![\w.])[0-2](?:\.\d+){4,}(?![\w.])")
_SAFE_PLACE = re.compile(
    r"(?:rows?|lines?|columns?|slices?|frames?|epoch) [\d ,.-]{1,24}(?:to|and)?[\d ]*"
    r"|(?:--set )?(?:study|before|after|plan|network)\.[a-z_]+(?:\.[a-z_]+)*|--[a-z-]+|cases\.json"
)
_SAFE_WORD = re.compile(r"[\d.,:]+(?:[a-z%]{1,3})?|(?:subject|run|auto|cpu|cuda|all)")


def _parts(identifier: str) -> set[str]:
    """Pieces of an identifier that may name a person on their own: folders and file stems, parts of a DICOM name."""
    pieces = re.split(r"[\\/^#=]|\s{1,}|,", identifier)
    pieces += [p for piece in pieces for p in re.split(r"[._\-\[\]]", piece)]
    return {p for p in pieces if p.lower() not in COMMON and len(p) >= 3 and not p.isdecimal()}


class Names:
    """Strings to be found in a text whatever their case; looking is as fast for a hundred thousand as for ten.

    Parameters
    ----------
    strings
        Whole strings; a letter or digit beside one makes it another word, an underscore does not.
    """

    def __init__(self, strings: Iterable[str]) -> None:
        self._strings = {_lower(s) for s in strings if s}
        self._lengths = sorted({len(s) for s in self._strings}, reverse=True)

    def replaced(self, text: str, by: Callable[[str], str]) -> str:
        """The text with every find, longest first, given to `by`."""
        lower, out, i, kept = _lower(text), [], 0, 0
        while i < len(text):
            length = self._found(lower, i)
            if length:
                out += [text[kept:i], by(text[i : i + length])]
                kept = i + length
            i += length or 1
        return "".join([*out, text[kept:]])

    def _found(self, lower: str, i: int) -> int:
        for length in self._lengths:
            found = lower[i : i + length]
            if found in self._strings and not _glued(lower, i) and not _glued(lower, i + length):
                return length
        return 0


def _lower(text: str) -> str:
    """Lower case of the same length, so that positions agree."""
    return "".join(low if len(low := c.lower()) == 1 else c for c in text)


def _glued(text: str, i: int) -> bool:
    """Whether letters or digits stand on both sides of a position."""
    return 0 < i < len(text) and text[i - 1].isalnum() and text[i].isalnum()


class Codes:
    """Turns identifiers into codes; the same key gives the same codes.

    Parameters
    ----------
    key
        Secret, at least 16 bytes. Without it, codes cannot be traced back.
    known
        Strings that may name a person; each of at least four characters (three with a digit) is replaced wherever it
        stands in a text.
    spared
        Words that are never replaced, such as the names of methods, classes and the data set.
    identified
        True: nothing is replaced.

    Raises
    ------
    UsageError
        The key is too short.
    """

    def __init__(
        self, key: bytes, known: Iterable[str] = (), *, spared: Iterable[str] = (), identified: bool = False
    ) -> None:
        if len(key) < 16:
            raise UsageError("the key for codes is too short", got=f"{len(key)} bytes", wanted="at least 16 bytes")
        self.key, self.identified = key, identified
        self.used: dict[str, str] = {}
        self._spared = {_normal(s).lower() for s in spared}
        whole = {_normal(k).lstrip("\0") for k in known}
        self._whole = self._names(s for s in whole if len(s) >= 4 or (len(s) == 3 and not s.isalpha()))
        self._pieces = self._names(p for k in whole for p in _parts(k))

    def _names(self, strings: Iterable[str]) -> Names:
        return Names(s for s in strings if s.lower() not in self._spared and s.lower() not in COMMON)

    def of(self, identifier: str) -> str:
        """The code of one identifier (itself when identified); remembered for the table that stays at home."""
        identifier = _normal(identifier).lstrip("\0")
        if self.identified or not identifier:
            return identifier
        code = hmac.new(self.key, identifier.encode("utf-8", "backslashreplace"), hashlib.sha256).hexdigest()[:LENGTH]
        self.used[code] = identifier
        return code

    def text(self, value: object, *, pieces: bool = False) -> str:
        """A text in which identifiers, paths and DICOM UIDs are replaced by ``[code]``.

        Parameters
        ----------
        value
            The text.
        pieces
            Also replace pieces of identifiers (a surname out of ``MUSTERMANN^ERIKA``, a folder out of a path). For
            messages; in prose it would hit words such as the organ after which all cases are named.
        """
        text = _normal(value)
        if self.identified:
            return text
        text = self._whole.replaced(text, self._replaced)
        for pattern in (_PATH, _UID):
            text = pattern.sub(lambda match: self._replaced(match.group()), text)
        return self._pieces.replaced(text, self._replaced) if pieces else text

    def _replaced(self, found: str) -> str:
        if found.lower() in self._spared or re.fullmatch(rf"\[?[0-9a-f]{{{LENGTH}}}\]?", found):
            return found
        return f"[{self.of(found)}]"

    def place(self, where: str) -> str:
        """Where a problem lies: rows and settings as they are, everything else as a code."""
        where = _normal(where)
        if self.identified or not where or where.lower() in self._spared:
            return where
        if _SAFE_PLACE.fullmatch(where):
            return where
        return self.of(where)

    def command(self, line: str) -> str:
        """A command line with its options, numbers and known names; every other word as a code.

        >>> Codes(b"k" * 16, spared=["segment"]).command("isocenter check segment --folds 5")
        'isocenter check segment --folds 5'
        """
        if self.identified or not line:
            return _normal(line)
        try:
            words = shlex.split(_normal(line))
        except ValueError:
            words = _normal(line).split()
        return " ".join(w if i < 2 and re.fullmatch("[a-z]+", w) else self._word(w) for i, w in enumerate(words))

    def _word(self, word: str) -> str:
        option, equals, value = word.partition("=")
        if re.fullmatch(r"--?[a-z][a-z-]*|[a-z_]+(?:\.[a-z_]+)+", option):
            return option + equals + (self._word(value) if value else "")
        pieces = re.split(r"[,/]", word)
        if all(_SAFE_WORD.fullmatch(p) or p.lower() in self._spared for p in pieces):
            return word
        return f"[{self.of(word)}]"


def _normal(value: object) -> str:
    return unicodedata.normalize("NFC", str(value))
