"""Stage inspect: what is in a file, before anything is written for it."""
