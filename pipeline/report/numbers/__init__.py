"""What the figures and tables show, computed and not yet drawn."""
