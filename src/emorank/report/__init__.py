"""Figures, tables, and the one page that shows a whole study."""
