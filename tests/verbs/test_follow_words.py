"""Change is told in words with its limits, and nothing is told of treatment or response."""

from isocenter.data.findings.followed import Change, Examined, Followed, Lesion, Sighting, Sized
from isocenter.inspect.recist import summed
from isocenter.verbs._follow_words import HEAD, amount, became, headline, moved, row, said, total_words


def sighting(state, d, error=0.3, **more):
    return Sighting(state, (0,), Sized(d**3, 0.03 * d**3), Sized(d, error), Sized(d / 2, error), **more)


def made(diameters=(30.0, 18.0), error=0.3, days=(0.0, 92.0)):
    lesions = (
        Lesion("L1", "liver", tuple(sighting("kept" if k else "first", d, error) for k, d in enumerate(diameters))),
        Lesion("L2", "lung", (sighting("first", 8.0), Sighting("gone"))),
        Lesion("L3", "lung", (None, sighting("new", 6.0))),
    )
    exams = tuple(Examined(f"e{k}", d, 2, Sized(0.0)) for k, d in enumerate(days))
    return summed(Followed("p", exams, lesions))


def test_the_headline_counts_and_tells_the_sum():
    words = headline(made())
    assert words.startswith("2 lesions at the first of 2 examinations; at the last after 92 days: 1 kept, 1 gone, ")
    assert "1 new. The sum of diameters of 1 target lesion" in words
    assert "is 18.0 mm: fallen by 40 % (limits of error -42 to -38 %) since the baseline (30.0 mm)" in words
    assert "at least 30 % below the baseline." in words
    assert "after" not in headline(made(days=(None, None)))


def test_near_a_threshold_the_doubt_is_told():
    assert "reach across the threshold" in headline(made((30.0, 20.5), error=1.5))
    assert "none is crossed." in headline(made((30.0, 29.0)))


def test_without_targets_nothing_is_told_of_sums():
    found = made((6.0, 9.0))
    assert total_words(found, 1) == "" and "sum" not in headline(found)
    assert total_words(made(), 0) == ""


def test_rows_say_what_became_of_each():
    found = made()
    cells = dict(zip(HEAD[:4], row(found, found.lesions[0])[:4], strict=True))
    assert cells == {"lesion": "L1 target", "class": "liver", "became": "kept", "size": "27 ml"}
    assert row(found, found.lesions[1])[5] == "-100 %"
    assert row(found, found.lesions[2])[5] == "-"
    assert "within error" in row(made((30.0, 30.1)), made((30.0, 30.1)).lesions[0])[6]
    assert len(said(found)) == 1 + 1 + 3


def test_joined_lesions_say_into_which():
    lesions = (Lesion("L1", "a", (sighting("first", 12.0), sighting("merged", 20.0, into=("L2",)))),
               Lesion("L2", "a", (sighting("first", 11.0), Sighting("joined", into=("L1",)))))
    found = Followed("", tuple(Examined(n, None, 2, Sized(0.0)) for n in "ab"), lesions)
    assert row(found, lesions[0])[2] == "merged (L2)"
    assert row(found, lesions[1])[2] == "grown into another (L1)" and row(found, lesions[1])[4] == "-"


def test_changes_and_amounts():
    assert moved(Change(0.2, -4.0, 4.6)) == "unchanged (limits of error -4 to +5 %)"
    assert moved(Change(25.0, 20.0, 30.0)).startswith("risen by 25 %")
    assert amount(Sized(12.34), "mm2") == "12.3 mm2" and amount(Sized(40.0), "px") == "40 px"


def test_no_word_of_response_or_treatment():
    words = " ".join(said(made())).lower()
    assert not any(w in words for w in ("response", "progress", "stable disease", "remission", "treat", "therapy"))


def test_an_examination_without_lesions_is_told():
    exams = tuple(Examined(n, None, 0, Sized(0.0)) for n in "ab")
    assert headline(Followed("p", exams, ())) == "0 lesions at the first of 2 examinations; at the last: none."
    assert said(Followed("p", exams, ())) == [headline(Followed("p", exams, ()))]


def test_the_smallest_sum_is_told_where_it_is_not_the_baseline():
    words = total_words(made_three(), 2)
    assert "fallen by 20 %" in words and "risen by 33 %" in words and "since its smallest before (18.0 mm)" in words
    assert "20 % and 5 mm above" in words


def made_three():
    lesion = Lesion("L1", "liver", tuple(sighting("kept" if k else "first", d) for k, d in enumerate((30, 18, 24))))
    return summed(Followed("p", tuple(Examined(n, None, 1, Sized(0.0)) for n in "abc"), (lesion,)))


def test_what_came_in_between_is_new_against_the_first():
    late = Lesion("L4", "lung", (None, sighting("new", 6.0), sighting("kept", 9.0)))
    passed = Lesion("L5", "lung", (None, sighting("new", 6.0), Sighting("gone")))
    stayed = Lesion("L1", "liver", tuple(sighting("kept" if k else "first", 30.0) for k in range(3)))
    exams = tuple(Examined(f"e{k}", 30.0 * k, 2, Sized(0.0)) for k in range(3))
    found = summed(Followed("p", exams, (stayed, late, passed)))
    assert [became(one) for one in found.lesions] == ["kept", "new", "gone"]
    assert "1 kept, 1 gone, 1 new." in headline(found)
    assert row(found, late)[2] == "new at 2" and row(found, stayed)[2] == "kept"
    assert became(Lesion("L6", "lung", (sighting("first", 6.0), None))) == ""
