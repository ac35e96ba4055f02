"""Drawing of the numbers: one function per figure, from a frozen dataclass to a Figure."""
