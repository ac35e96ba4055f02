"""The tables of the report: cells that lead to the files their numbers come from."""
