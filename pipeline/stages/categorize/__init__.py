"""categorize: boundaries on the score that give the highest combined significance."""
