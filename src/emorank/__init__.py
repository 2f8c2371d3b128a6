"""Reads a face, names the expressed emotion, explains it by relevance, ranks its intensity."""

__version__ = "0.1.0"
