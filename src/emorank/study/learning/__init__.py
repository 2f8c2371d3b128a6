"""What a study learns from votes: cuts, the calibrated rank, the ordinal network."""
