"""The validity laboratory: all that can be asked of a score of intensity, part by part."""
