"""classify: a score per event, out of fold, that knows nothing of the mass."""
