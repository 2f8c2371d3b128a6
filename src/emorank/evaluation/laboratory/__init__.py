"""The validity laboratory: whether a score of intensity can be believed, one question a file."""
