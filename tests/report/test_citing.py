from __future__ import annotations

import re

import pytest

from isocenter import catalog
from isocenter.data import knobs
from isocenter.metrics.registry import BY_TASK
from isocenter.report.citing import BOOK, Reference, book, cited, parsed, unknown


def keys(texts: list[str], *used: str) -> list[str]:
    return [r.key for r in cited(texts, used)]


def test_the_book_is_whole() -> None:
    entries = book()
    assert len(entries) == len({r.key for r in entries}) == len(re.findall(r"^@", BOOK.read_text("utf-8"), re.M)) > 100
    for r in entries:
        assert {"author", "title", "year"} <= r.fields.keys(), r.key
        assert {"journal", "booktitle", "publisher"} & r.fields.keys(), r.key
        assert re.fullmatch(r"\d{4}", r.year) and r.year in r.key, r.key


def test_short_forms_find_their_entry() -> None:
    assert keys(["Otsu, IEEE Trans. SMC 9 (1979) 62; Zack et al., J. Histochem. 25 (1977) 741"]) == ["otsu1979"]
    assert keys(["Zack et al. 1977"], "rule=triangle") == ["zack1977"]
    assert keys(["Lin et al., ICCV 2017"]) == ["lin2017focal"] and keys(["Lin et al., CVPR 2017"]) == ["lin2017pyramid"]
    assert keys(["ISO 20776-2; STARD 2015"]) == ["bossuyt2015"]
    assert keys(["Otsu wrote it.; Serra 1982"]) == ["serra1982"], "a year beyond a semicolon is another's"


def test_what_was_not_in_use_is_not_cited() -> None:
    text = ["ResNet-18 (He et al., CVPR 2016), DenseNet-121 (Huang et al., CVPR 2017)"]
    assert keys(text, "network=densenet121") == ["huang2017"] and keys(text, "network=resnet18") == ["he2016"]
    assert keys([], "test=delong", "optimiser=adamw") == ["delong1988", "loshchilov2019"]


@pytest.mark.parametrize("task", sorted(BY_TASK))
def test_what_a_metric_names_is_known_or_kept_as_it_is(task: str) -> None:
    for metric in BY_TASK[task].values():
        for part in (p for p in metric.source.split(";") if re.search(r"(19|20)\d\d", p) and "ISO" not in p):
            assert keys([part]) or unknown([part]), part


def test_what_settings_name_is_known_or_kept_as_it_is() -> None:
    sources = {k.source for t in ("segment", "classify") for m in catalog.methods(t) for k in knobs(catalog.find(t, m))}
    used = [f"{n}={v}" for n, v in (("rule", "triangle"), ("rule", "mixture"), ("levels", 3), ("features", "radiomics"),
                                    ("calibration", "platt"), ("calibration", "isotonic"), ("kind", "denoising"),
                                    ("kind", "variational"), ("intensity", "landmarks"), ("intensity", "clahe"),
                                    ("score", "mahalanobis"))]
    for part in {p.strip() for s in sources for p in s.split(";") if re.search(r"(19|20)\d\d", p)}:
        assert [u for u in used if keys([part], u)] or unknown([part]), part


def test_the_unknown_are_told_without_a_title() -> None:
    found = unknown(["Nobody et al., J. Doubt 1999; Otsu 1979", "Nobody 1999", "no name"])
    assert [r.key for r in found] == ["nobody1999"] and "title" not in found[0].fields
    assert "title not provided" in found[0].line()


def test_bibtex_is_read_again_and_ours_stays_inside() -> None:
    for r in book():
        again = parsed(r.bibtex())
        assert len(again) == 1 and again[0].key == r.key and again[0].fields["title"] == r.fields["title"]
        assert not {"when", "unless", "also", "match", "short"} & again[0].fields.keys()


def test_citations_and_lists() -> None:
    one, two, many = (Reference("article", "k", {"author": a, "year": "2001", "title": "T"})
                      for a in ("{\\'A}, B", "A, B and C, D", "A, B and C, D and E, F"))
    assert (one.said(), two.said(), many.said()) == ("A 2001", "A and C 2001", "A et al. 2001")
    line = next(r for r in book() if r.key == "otsu1979").line()
    assert line.startswith("Otsu, Nobuyuki. A threshold") and line.endswith("1979.")
    assert "9 (1): 62\N{EN DASH}66" in line


def test_what_makes_devices_alike_is_cited_where_it_was_used() -> None:
    texts = ["Nyul, Udupa, Zhang, IEEE Trans. Medical Imaging 2000 (landmarks); Zuiderveld 1994 (clahe)",
             "Johnson et al., Biostatistics 2007; Fortin et al., NeuroImage 2018 (ComBat)"]
    assert keys(texts, "intensity=landmarks") == ["fortin2018", "johnson2007", "nyul2000"]
    assert keys(texts, "intensity=clahe") == ["fortin2018", "johnson2007", "zuiderveld1994"]
    assert keys(["(Kingma and Welling, ICLR 2014); Vincent et al., ICML 2008"], "kind=denoising") == ["vincent2008"]
