"""What a run will read and cost, before anything is run, and whether it may go on to more."""
