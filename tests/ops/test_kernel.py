from __future__ import annotations

import numpy as np

from isocenter.ops.kernel import kernel


@kernel
def running(values: np.ndarray) -> float:
    total = 0.0
    for i in range(values.size):
        total += values[i] * (i + 1)
    return total


def test_a_kernel_answers_as_the_loop_that_it_is() -> None:
    values = np.linspace(-1, 2, 17)
    assert running(values) == running.py_func(values)
    assert running.signatures, "compiled"


def test_a_function_without_a_file_is_compiled_too() -> None:
    space: dict = {}
    exec("def twice(n):\n    return n + n\n", space)
    assert kernel(space["twice"])(4) == 8
