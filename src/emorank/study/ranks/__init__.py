"""The ranks of a study by name, what they are made of, and those that learn from votes."""
