"""Synthetic samples: ROOT files with the names of the 2025 release, made on this machine."""

from pipeline.data.synthetic.samples import SyntheticSample, sample_names, sample_of, samples
from pipeline.data.synthetic.synthesis import generate, generate_file, synthesize

__all__ = [
    "SyntheticSample",
    "generate",
    "generate_file",
    "sample_names",
    "sample_of",
    "samples",
    "synthesize",
]
