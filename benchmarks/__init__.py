"""Timings: ours and peers, interleaved in one run, the same output checked. Run with `make bench`."""
