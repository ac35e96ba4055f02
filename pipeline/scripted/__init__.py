"""Replies written by people, which stand in for a language model where none is."""
