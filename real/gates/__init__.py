"""Gates: one file a gate of docs/results.md."""
