"""Many methods on one set: one file a table of docs/tables.md."""
