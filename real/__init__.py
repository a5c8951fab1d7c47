"""Trainings and runs on real data: one file a row of docs/results.md. Run with `make real`."""
