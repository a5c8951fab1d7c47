"""Learning curves: one file a curve of docs/results.md."""
