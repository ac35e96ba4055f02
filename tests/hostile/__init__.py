"""Hostile solutions, on their way from a coder's reply to a verdict."""
