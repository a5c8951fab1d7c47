"""The folders are the registry."""

from __future__ import annotations

import subprocess
import sys

import pytest

from isocenter import catalog
from isocenter.errors import NotFoundError


def test_tasks_and_their_values() -> None:
    assert {"classify", "explain", "segment"} <= set(catalog.tasks())
    for name in catalog.tasks():
        assert catalog.task(name).name == name and catalog.task(name).metrics


def test_every_listed_method_is_found_and_described() -> None:
    for task in catalog.tasks():
        for name in catalog.methods(task):
            assert catalog.find(task, name).__name__.lower() == name.replace("_", "")
            assert len(catalog.summary(task, name)) > 10


def test_misspelt_names_get_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="Did you mean segment"):
        catalog.task("segmnt")
    with pytest.raises(NotFoundError, match="Did you mean histogram"):
        catalog.find("segment", "histgram")


def test_third_parties_by_module_and_class() -> None:
    assert catalog.find("segment", "collections:OrderedDict").__name__ == "OrderedDict"
    for spec in ("nowhere:X", "collections:Nothing", ":"):
        with pytest.raises(NotFoundError, match="cannot load"):
            catalog.load(spec)


def test_listing_imports_no_method() -> None:
    code = (
        "import sys; from isocenter import catalog; [catalog.methods(t) for t in catalog.tasks()];"
        "print([m for m in sys.modules if m.startswith('isocenter.tasks.') and m.count('.') > 2])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
