"""Honest code that hostile solutions are built on: standalone, as a model would write it."""
