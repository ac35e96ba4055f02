"""The report of a sweep: one self-contained page that can be sorted, filtered and opened."""

from pipeline.sweep_page.product import make_sweep_page

__all__ = ["make_sweep_page"]
