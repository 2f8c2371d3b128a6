"""Raters' answers: their table, their files, the majority."""
