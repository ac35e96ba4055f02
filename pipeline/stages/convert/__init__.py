"""Stage convert: events of ROOT files become one table per sample, one row per preselected event."""
