"""Raters against each other and against themselves; what their answers come to."""
