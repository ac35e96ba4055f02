"""Fetching: files of a release brought into a cache, whole, verified, and only once."""
