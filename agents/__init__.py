"""WHO writes the code of a stage: a supervisor and a coder, the models behind them, the record."""
