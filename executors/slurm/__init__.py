"""SLURM by its own commands: asking, submitting with patience, and the jobs of one run."""
