"""The graph: file names, resources and nothing else."""
