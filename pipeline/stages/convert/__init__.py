"""Stage convert: events become one table per sample, one row per preselected event."""
