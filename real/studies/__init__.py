"""Studies: one file a section of docs/results.md."""
