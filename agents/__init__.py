"""WHO writes the code of a stage. The reference solver needs nobody; supervisor and coder move in here."""
