"""WHERE code runs: a function mapped over chunks, here or on a cluster."""
