"""Measures of relevance maps: where they lie, how alike they are, what depends on them."""
