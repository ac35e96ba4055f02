"""preprocess: from converted tables to signal, background, control and data, with weights."""
