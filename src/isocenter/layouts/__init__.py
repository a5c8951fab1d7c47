"""Conventions of data sets, each in a file of its own, and the table of cases that holds for all the others."""

from __future__ import annotations

from isocenter.layouts.choosing import describe, layout_of, read, survey, with_unlabelled

__all__ = ["describe", "layout_of", "read", "survey", "with_unlabelled"]
