"""One value behind refusals and reports."""

from isocenter.data import Problem
from isocenter.errors import GeometryError


def test_an_error_becomes_a_problem_with_the_same_line() -> None:
    error = GeometryError("slices are missing", where="series", got="6 mm", wanted="3 mm", remedy="Fetch it again")
    problem = Problem.of(error)
    assert problem.severity == "error" and problem.line() == str(error)
    assert problem.as_json()["code"] == "geometry"
    assert Problem.of(GeometryError("x"), where="here").where == "here"
