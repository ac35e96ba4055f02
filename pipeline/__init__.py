"""WHAT is computed: the stages, the physics, the judge, the report and the graph that joins them."""
