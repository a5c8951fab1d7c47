from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from isocenter.bundle import locked
from isocenter.errors import OutputError, ResourceError


def test_a_lock_nests_and_goes(tmp_path):
    with locked(tmp_path / "b"):
        assert (tmp_path / "b.lock").read_text().strip() == str(os.getpid())
        with locked(tmp_path / "x" / ".." / "b"):
            pass
        assert (tmp_path / "b.lock").exists()
    assert not (tmp_path / "b.lock").exists()


def test_another_process_is_refused_and_named(tmp_path):
    code = "import sys; from isocenter.bundle import locked\nwith locked(sys.argv[1]): print('in')"
    with locked(tmp_path / "b"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "b")], capture_output=True, text=True, check=False
        )
    assert done.returncode == 1 and "another run is writing here" in done.stderr and "in" not in done.stdout
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "b")], capture_output=True, text=True, check=False
    )
    assert done.stdout == "in\n"


def test_a_dead_owners_file_is_taken_over(tmp_path):
    (tmp_path / "b.lock").write_text("999999\n")
    with locked(tmp_path / "b"):
        pass
    assert not (tmp_path / "b.lock").exists()


def test_one_of_many_threads_at_a_time(tmp_path):
    inside, most, done, guard = 0, 0, [], threading.Lock()

    def work():
        nonlocal inside, most
        for _ in range(200):
            try:
                with locked(tmp_path / "b"):
                    with guard:
                        inside += 1
                        most = max(most, inside)
                    with guard:
                        inside -= 1
                    done.append(1)
            except ResourceError:
                continue

    threads = [threading.Thread(target=work) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert most == 1 and done


def test_a_place_that_cannot_hold_a_lock(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError), locked(tmp_path / "file" / "b"):
        pass


def test_an_error_inside_frees_it(tmp_path):
    with pytest.raises(KeyError), locked(tmp_path / "b"):
        raise KeyError
    with locked(tmp_path / "b"):
        pass
