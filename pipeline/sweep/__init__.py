"""Sweeps: many points, frozen together and run as one graph."""
