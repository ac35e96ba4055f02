"""WHAT is computed: stages, physics, judge, report, and the graph that joins them."""
