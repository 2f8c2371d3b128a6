"""Statistics that every question of the evaluation shares: each is written once, here."""
