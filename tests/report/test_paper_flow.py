from __future__ import annotations

from types import SimpleNamespace
from xml.etree import ElementTree

from isocenter.report.paper_flow import flow_of, flow_svg, flow_text
from isocenter.report.paper_story import Story


def lossy(papers: SimpleNamespace) -> Story:
    record = papers.record()
    problem = {"severity": "error", "what": "the file is <broken>", "code": "x"}
    return Story({**record, "data": {**record["data"], "left_out": {"the truth is empty & nobody said why": 3}},
                  "result": {**record["result"], "n_refused": 2}, "problems": [problem, problem]})


def test_all_that_came_stays_or_left_for_a_reason(papers: SimpleNamespace) -> None:
    start, left, sets = flow_of(lossy(papers))
    assert start[0].lines == ("27 cases in the data",) and left[0].leaves
    assert left[0].lines == ("Left out: 3", "the truth is empty & nobody said why: 3")
    assert [b.lines[0] for b in sets] == ["Training set", "Validation set", "Test set"]
    assert sets[2].lines[-3:] == ("refused: 2", "  the file is <broken>: 2", "analysed: 8")
    assert not any("analysed" in line for b in sets[:2] for line in b.lines)


def test_nothing_left_and_nothing_divided(papers: SimpleNamespace) -> None:
    record = papers.record()
    whole = {"": {"cases": 24, "subjects": 12, "classes": {}, "unlabelled": 2}}
    result = {**record["result"], "split": "all"}
    story = Story({**record, "data": {**record["data"], "splits": whole}, "result": result})
    start, left, sets = flow_of(story)
    assert start[0].lines == ("24 cases in the data", "12 subjects") and not left
    assert sets[0].lines == ("Undivided", "24 cases, 12 subjects", "without a label: 2", "analysed: 8")
    ElementTree.fromstring(flow_svg(story))


def test_the_figure_holds_all_its_text_inside(papers: SimpleNamespace) -> None:
    root = ElementTree.fromstring(flow_svg(lossy(papers)))
    space = "{http://www.w3.org/2000/svg}"
    words = " ".join(t.text or "" for t in root.iter(f"{space}text"))
    assert "the file is <broken>: 2" in words.replace("  ", " ") and "27 cases" in words
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    boxes = [r for r in root.iter(f"{space}rect") if "x" in r.attrib]
    assert len(boxes) == 5
    for box in boxes:
        x, y, w, h = (float(box.attrib[k]) for k in ("x", "y", "width", "height"))
        assert x >= 0 and x + w <= width and y >= 0 and y + h <= height


def test_the_text_tells_the_same(papers: SimpleNamespace) -> None:
    text = flow_text(lossy(papers))
    assert "- 27 cases in the data" in text and "- Left out: 3: the truth is empty" in text
    assert "- Test set: 8 cases, 4 subjects; ill: 4; healthy: 4; refused: 2;" in text
