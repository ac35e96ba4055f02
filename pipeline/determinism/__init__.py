"""Whether a server answers a request with the same bits: what was asked, measured and found."""
