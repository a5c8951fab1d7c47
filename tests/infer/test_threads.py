from __future__ import annotations

import threading

from isocenter.infer import limited, threads


def test_limits_nest_and_end():
    before = threads()
    assert before >= 1
    with limited(3):
        assert threads() == 3
        with limited(0):
            assert threads() == 1
        assert threads() == 3
    assert threads() == before


def test_a_limit_is_of_its_own_thread():
    seen = []
    with limited(7):
        other = threading.Thread(target=lambda: seen.append(threads()))
        other.start()
        other.join()
    assert seen != [7]
