"""The page: sections in order, nothing fetched, nothing executed, and what a browser makes of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter.data import CaseScore, Geometry, Problem, Segmentation, Task
from isocenter.metrics import compare, records, summarise
from isocenter.report import Curves, Data, Explanation, MethodResult, Picture, Run, write_report
from isocenter.report.page import page
from isocenter.report.privacy import Codes
from isocenter.report.view import RESEARCH, View

# Ways in which text has become script in other reports: elements, attributes, style, SVG, entities, broken encodings.
PAYLOADS = [
    "<script>{}</script>",
    "</title><script>{}</script>",
    "</style><script>{}</script>",
    "</svg><script>{}</script>",
    "<img src=x onerror={}>",
    '"><img src=x onerror={}>',
    "'><img src=x onerror={}>",
    "<svg onload={}>",
    "<svg/onload={}>",
    "<body onload={}>",
    "<iframe src=javascript:{}>",
    "<a href='javascript:{}'>x</a>",
    "<details open ontoggle={}>",
    "<input autofocus onfocus={}>",
    "<video><source onerror={}>",
    "<math><mtext><script>{}</script>",
    "<object data=javascript:{}>",
    "<embed src=javascript:{}>",
    "<meta http-equiv=refresh content='0;javascript:{}'>",
    "<link rel=stylesheet href=javascript:{}>",
    "<base href=javascript:{}//>",
    "<form action=javascript:{}><button>",
    '" onmouseover="{}',
    "' onmouseover='{}",
    "` onmouseover=`{}",
    "<style>@import 'javascript:{}'</style>",
    "<style>*{{background:url(javascript:{})}}</style>",
    "<!--><script>{}</script>",
    "<![CDATA[<script>{}</script>]]>",
    "<foreignObject><script>{}</script></foreignObject>",
    "<animate onbegin={}>",
    "<set onend={}>",
    "&lt;script&gt;{}&lt;/script&gt;",
    "\x00<script>{}</script>",
    "<scr\x00ipt>{}</scr\x00ipt>",
    "\u202e<script>{}</script>",
    "\udcff<script>{}</script>",
    "<template><script>{}</script></template>",
    "javascript:{}",
    "{{{{constructor.constructor('{}')()}}}}",
]
FIRED = "document.documentElement.setAttribute('data-fired','1')"
ELEMENTS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "div",
    "nav",
    "main",
    "footer",
    "section",
    "ol",
    "ul",
    "li",
    "a",
    "b",
    "p",
    "br",
    "h1",
    "h2",
    "h3",
    "span",
    "strong",
    "small",
    "sup",
    "code",
    "dl",
    "dt",
    "dd",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "figure",
    "figcaption",
    "details",
    "summary",
    "label",
    "input",
    "svg",
    "g",
    "path",
    "line",
    "rect",
    "circle",
    "text",
    "image",
}


def nasty(payload: str) -> Run:
    """A run that holds a payload in every text that a page shows."""
    p = payload.format(FIRED)
    names = ("background", p)
    image, labels = np.random.default_rng(0).normal(size=(24, 24)), np.zeros((24, 24), np.uint8)
    labels[6:18, 6:18] = 1
    task = Task("segment", "Segmentation", ("image",), ("dice",), "")
    segmentation = Segmentation(labels, names, Geometry.from_spacing((24, 24), None))
    methods, scored = [], []
    for name in (p, p + "2"):
        cases = [CaseScore(f"{p}{i}", f"{p}{i}", records(task, segmentation, segmentation), p) for i in range(3)]
        s = summarise(task, cases, method=name, split=p, resamples=20)
        s = replace(s, metrics={**s.metrics, p: s.metrics["dice"]}, notes=(p,), engine=p)
        picture = Picture(image, labels, labels, names, None, f"{p}0", p, p)
        methods.append(
            MethodResult(
                name, s, p, (picture,), {p: p}, {p: p}, [{"epoch": 1, "loss": 1.0, f"loss {p}": 2.0}], 1.0, 1.0, p
            )
        )
        scored.append(s)
    curves = Curves(
        p, p, auc=scored[0].metrics["dice"]["all"], probabilities=(0.1, 0.9), present=(False, True), threshold_from=p
    )
    return Run(
        p,
        task="segment",
        verb=p,
        created=p,
        command=p,
        chosen=p,
        chosen_by=p,
        methods=tuple(methods),
        tests=compare(task, scored, resamples=20),
        data=Data(p, {p: {"cases": 3, "subjects": 3}}, {p: {p: 3}}, (p,), True, {p: p}, {p: 1}, {p: p}),
        plan={p: {p: p}},
        origins={f"{p}.{p}": p},
        samples=(Picture(image, labels, names=names, text=p),),
        curves=(curves,),
        explanations=(Explanation(image, image, p, p, p, None, {p: 1.0}, p),),
        made={p: p, "inputs": {p: p}, "versions": {p: p}},
        card={"intended_use": p, p: p},
        problems=(Problem(p, "error", p, p, p, p, p),),
        facts={p: p},
        notes=(p,),
    )


class Seen(HTMLParser):
    """Every element and attribute of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def seen(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Seen()
    parser.feed(text)
    return parser.elements


def made(run: Run, key: bytes) -> tuple[str, View]:
    view = View(Codes(key, identified=True), detail=0.25)
    return page(view, run), view


def test_sections_stand_in_the_order_in_which_they_are_read(
    segmented: Callable[..., Run], classified: Callable[..., Run], key: bytes
) -> None:
    text, _ = made(segmented(curves=classified().curves), key)
    found = re.findall(r"<h2>([^<]+)</h2>", text)
    assert found == [
        "Scores",
        "Paired comparisons",
        "Where the mean differs",
        "Case by case",
        "Curves",
        "Explanations",
        "Data and split",
        "Plan",
        "Augmented samples",
        "Learning curves",
        "Problems",
        "Model card",
        "What made it",
    ]
    assert text.index("unet</strong> reaches Dice") < text.index("<h2>Scores")
    assert text.index(RESEARCH.partition(". ")[2]) < text.index("<h1>")


def test_every_figure_has_a_caption_that_says_how_to_read_it(segmented: Callable[..., Run], key: bytes) -> None:
    text, _ = made(segmented(), key)
    captions = re.findall(r"<figcaption><b>Figure (\d+)\. </b>(.*?)</figcaption>", text)
    assert len(captions) == text.count("<figure") == 6
    assert [int(n) for n, _ in captions] == list(range(1, len(captions) + 1))
    assert all(len(words) > 60 for _, words in captions)


def test_the_contents_lead_to_every_section_and_anchors_are_unique(
    segmented: Callable[..., Run], classified: Callable[..., Run], key: bytes
) -> None:
    text, _ = made(Run("Tour", parts=(segmented(), classified(), segmented())), key)
    anchors = [a["id"] for _, a in seen(text) if "id" in a]
    links = [str(a["href"]).removeprefix("#") for e, a in seen(text) if e == "a"]
    assert len(set(anchors)) == len(anchors)
    assert set(links) <= set(anchors)
    assert {"1-top", "2-top", "3-top", "1-scores", "2-curves", "3-plan"} <= set(links)


def test_the_page_asks_for_nothing_and_runs_nothing(segmented: Callable[..., Run], key: bytes) -> None:
    text, _ = made(segmented(), key)
    for element, attributes in seen(text):
        assert element in ELEMENTS
        for name, value in attributes.items():
            assert not name.startswith("on") and name not in ("style", "src", "srcset", "action", "formaction")
            if name == "href":
                assert str(value).startswith(("#", "data:image/"))
    content = next(a["content"] for e, a in seen(text) if a.get("http-equiv") == "Content-Security-Policy")
    assert str(content).startswith("default-src 'none'; img-src data:") and "unsafe" not in str(content)


def test_words_are_text_in_drawings_and_chinese_names_survive(segmented: Callable[..., Run], key: bytes) -> None:
    text, view = made(segmented(n=8, names=("background", "肾脏", "肿瘤"), title="肾脏分割：三种方法的比较"), key)
    assert text.count("肾脏") > 5 and "肿瘤" in text
    drawn = view.figures["cases.svg"] + view.figures["lead.svg"]
    assert "<text" in drawn and "Noto Sans CJK SC" in drawn and '<path d="M' in drawn


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_becomes_an_element_or_an_attribute(payload: str, key: bytes) -> None:
    text, view = made(nasty(payload), key)
    for part in (text, *view.figures.values()):
        for element, attributes in seen(part):
            assert element in ELEMENTS | {"desc"}, payload
            assert not [a for a in attributes if a.startswith("on") or a == "style"], payload
            for name in ("href", "xlink:href"):
                assert str(attributes.get(name, "#")).startswith(("#", "data:image/")), payload
    assert text.count("<title>") == 1 + text.count("<title>", text.index("<body"))


# What a browser makes of it.

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium fonts-noto-cjk")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
]


def browse(html: Path, profile: Path, *more: str) -> tuple[str, list[str]]:
    """The document as it is after loading, and what was logged to the console."""
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", *more, html.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    return done.stdout.decode("utf-8", "replace"), [line for line in lines if "CONSOLE" in line]


@needs_chromium
def test_in_a_browser_nothing_fires_and_the_console_is_silent(tmp_path: Path, key: bytes) -> None:
    control = tmp_path / "control.html"
    control.write_text(
        f"<html><body><img src=x onerror={FIRED}><script>console.error('heard')</script>", encoding="utf-8"
    )
    document, console = browse(control, tmp_path / "profile", "--dump-dom")
    assert 'data-fired="1"' in document.split(">")[0] + ">" and any("heard" in line for line in console)

    run = Run("All payloads", parts=tuple(nasty(p) for p in PAYLOADS))
    report = write_report(run, tmp_path / "report", key=key)
    document, console = browse(report, tmp_path / "profile", "--dump-dom")
    assert "All payloads" in document
    assert "data-fired=" not in re.split(r"<head", document)[0]
    assert console == []


@needs_chromium
def test_in_a_browser_the_page_is_as_wide_as_the_screen_and_has_its_colours(
    tmp_path: Path, segmented: Callable[..., Run], key: bytes
) -> None:
    from PIL import Image as Pillow

    report = write_report(segmented(n=8, names=("background", "肾脏", "肿瘤")), tmp_path / "report", key=key)
    for width in (1200, 420):
        shot = tmp_path / f"{width}.png"
        _, console = browse(report, tmp_path / "profile", f"--window-size={width},1600", f"--screenshot={shot}")
        assert console == []
        pixels = np.asarray(Pillow.open(shot).convert("RGB")).astype(int)
        assert pixels.shape[1] == width
        # The paper, not the white of a page without its style sheet; and ink of the blue series on it.
        paper = np.abs(pixels - np.array([0xFC, 0xFB, 0xF8])).max(axis=2) <= 2
        blue = np.abs(pixels - np.array([0x00, 0x72, 0xB2])).max(axis=2) <= 6
        assert paper.mean() > 0.5 and blue.sum() > 30
        # Nothing sticks out: the last column is ground from top to bottom.
        assert paper[200:, -1].all()


def test_the_wording_of_a_page_without_scores_is_the_callers(key: bytes, segmented: Callable[..., Run]) -> None:
    fields: dict[str, Any] = {
        "headline": "2 of 9 files cannot be read.",
        "problems": segmented().problems,
        "facts": {"Files": "9"},
    }
    text, _ = made(Run("Look", verb="look", **fields), key)
    assert '<p class="said">2 of 9 files cannot be read.</p>' in text
    assert re.findall(r"<h2>([^<]+)</h2>", text) == ["Problems"]


def test_how_the_method_of_the_headline_was_chosen(segmented: Callable[..., Run], key: bytes) -> None:
    run = segmented()
    assert f"{run.chosen} was named before the split was opened, by {run.chosen_by}." in made(run, key)[0]
    folds = tuple(replace(m, scores=replace(m.scores, split="5 folds")) for m in run.methods if m.scores)
    assert f"{run.chosen} was named inside each fold before its test" in made(replace(run, methods=folds), key)[0]
