from __future__ import annotations

from isocenter.bundle.card import NOTICE, card_text


def test_what_every_card_says_even_when_nobody_filled_it():
    text = card_text({}, task="segment", method="unet", made={"isocenter": "0.1.0"})
    assert NOTICE in text and text.startswith("# segment / unet\n")
    for heading in ("Intended use", "Training data", "Licence", "What it has shown", "What it may be given"):
        assert f"## {heading}\n\nNot stated." in text
    assert "- isocenter: 0.1.0" in text


def test_text_lists_mappings_and_rows():
    card = {
        "name": "retina-vessels",
        "data": ["CHASE_DB1", "28 images | 14 children"],
        "envelope": {"modality": "OP", "size": (999, 960)},
        "metrics": [
            {"metric": "dice", "value": 0.79123, "low": 0.7, "high": 0.85, "n": 4},
            {"metric": "hd95", "n": None},
        ],
        "special_note": "seen",
    }
    text = card_text(card, task="segment", method="unet", made={})
    assert text.startswith("# retina-vessels\n")
    assert "- 28 images \\| 14 children" in text and "- size: 999, 960" in text
    assert (
        "| metric | value | low | high | n |\n| --- | --- | --- | --- | --- |\n| dice | 0.7912 | 0.7 | 0.85 | 4 |"
        in text
    )
    assert "| hd95 |  |  |  |  |" in text
    assert "## Special note\n\nseen" in text
