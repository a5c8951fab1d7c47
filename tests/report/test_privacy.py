"""Codes: who is named, stays unnamed; who has the key, can look it up."""

from __future__ import annotations

import pytest

from isocenter.errors import UsageError
from isocenter.report.privacy import LENGTH, Codes, Names

KNOWN = ["MUSTERMANN^ERIKA", "/data/Klinik Süd/Mustermann_E/scan 1.nii.gz", "hippocampus_041", "\0scan-7", "P12", "7"]


@pytest.fixture
def codes(key: bytes) -> Codes:
    return Codes(key, KNOWN, spared=["unet", "histogram", "segment", "test", "hippocampus-set", "tumour"])


def test_the_same_key_gives_the_same_codes_and_another_key_others(key: bytes, codes: Codes) -> None:
    assert codes.of("hippocampus_041") == Codes(key).of("hippocampus_041") != Codes(key[::-1]).of("hippocampus_041")
    assert len(codes.of("hippocampus_041")) == LENGTH
    assert codes.used[codes.of("hippocampus_041")] == "hippocampus_041"


def test_a_case_without_subject_has_the_code_of_its_case(codes: Codes) -> None:
    assert codes.of("\0scan-7") == codes.of("scan-7")
    assert codes.of("") == ""


def test_composed_and_decomposed_letters_are_one_name(codes: Codes) -> None:
    assert codes.of("Su\u0308d") == codes.of("Süd")


def test_short_keys_are_refused() -> None:
    with pytest.raises(UsageError, match="at least 16 bytes"):
        Codes(b"secret")


@pytest.mark.parametrize(
    "text",
    [
        "group MUSTERMANN^ERIKA stands in train and test",
        "mustermann^erika",
        "/data/Klinik Süd/Mustermann_E/scan 1.nii.gz cannot be read",
        "see C:\\Users\\Mustermann\\a.dcm",
        "see mustermann_2.nii.gz and ../Mustermann/x",
        r"\\server\share\Mustermann",
        "series 1.2.840.113619.2.55.3.604688119",
        "hippocampus_041: too dark",
        "of P12.",
    ],
)
def test_identifiers_paths_and_uids_leave_prose(codes: Codes, text: str) -> None:
    told = codes.text(text)
    for name in ("mustermann", "erika", "hippocampus_041", "p12", "1.2.840"):
        assert name not in told.lower()
    assert "[" in told


def test_pieces_of_identifiers_leave_messages_but_not_prose(codes: Codes) -> None:
    assert "Erika" not in codes.text("Erika looks like Klinik", pieces=True)
    assert "Klinik" not in codes.text("Erika looks like Klinik", pieces=True)
    assert codes.text("Segments the hippocampus", pieces=False) == "Segments the hippocampus"


@pytest.mark.parametrize(
    "text",
    [
        "7 of 24 cases",
        "unet beats histogram",
        "0.953 (0.941 to 0.964)",
        "https://creativecommons.org/licenses/by/4.0/",
        "train/val/test",
        "mm/px",
        "CC BY 4.0",
        "version 0.1.0",
        "spacing 0.5 x 0.5 mm",
    ],
)
def test_ordinary_prose_stays(codes: Codes, text: str) -> None:
    assert codes.text(text) == text


def test_texts_are_not_coded_twice(codes: Codes) -> None:
    once = codes.text("case hippocampus_041", pieces=True)
    assert codes.text(once, pieces=True) == once


@pytest.mark.parametrize(
    "where", ["row 17", "rows 3 to 9", "study.patch", "--set study.epochs", "cases.json", "unet", ""]
)
def test_rows_and_settings_are_told_as_they_are(codes: Codes, where: str) -> None:
    assert codes.place(where) == where


@pytest.mark.parametrize(
    "where", ["Mustermann", "row Mustermann", "mustermann.erika", "/a/b.nii", "case 4", "case_004"]
)
def test_any_other_place_is_a_code(codes: Codes, where: str) -> None:
    assert codes.place(where) == codes.of(where) != where


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "isocenter compare segment DATA --methods unet,histogram",
            "isocenter compare segment [] --methods unet,histogram",
        ),
        ("isocenter predict segment/unet mustermann", "isocenter predict segment/unet []"),
        (
            "isocenter train segment /x --set study.patch=96,96 -o out --time 20m",
            "isocenter train segment [] --set study.patch=96,96 -o [] --time 20m",
        ),
        (
            "isocenter check segment --because 'Erika allowed it' --folds 5",
            "isocenter check segment --because [] --folds 5",
        ),
        ("isocenter predict image='/x y'", "isocenter predict []"),
        ("isocenter check 'unclosed", "isocenter check []"),
    ],
)
def test_commands_keep_options_and_known_names_only(codes: Codes, line: str, told: str) -> None:
    import re

    assert re.sub(r"\[[0-9a-f]{12}\]", "[]", codes.command(line)) == told


def test_identified_changes_nothing(key: bytes) -> None:
    open_codes = Codes(key, KNOWN, identified=True)
    text = "MUSTERMANN^ERIKA in /data/a.nii"
    assert open_codes.text(text) == open_codes.command(text) == open_codes.place(text) == open_codes.of(text) == text
    assert open_codes.used == {}


def test_names_are_found_whole_longest_first_and_in_any_case() -> None:
    names = Names(["Anna", "Anna Berg", "x-1", "/data/a"])
    told = names.replaced("ANNA BERG, anna_2 Annabelle x-1 x-12 /data/a/b İanna", lambda found: f"<{len(found)}>")
    assert told == "<9>, <4>_2 Annabelle <3> x-12 <7>/b İanna"
    assert Names([]).replaced("text", str.upper) == "text"


def test_a_hundred_thousand_names_are_looked_for_quickly(key: bytes) -> None:
    import time

    codes = Codes(key, [f"/data/set/person_{i}/scan_{i}.nii.gz" for i in range(100_000)])
    start = time.perf_counter()
    for i in range(200):
        assert "person" not in codes.text(
            f"the file /data/set/person_{i}/scan_{i}.nii.gz is dark, as others were before it"
        )
    assert time.perf_counter() - start < 2
