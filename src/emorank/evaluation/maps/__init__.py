"""Measures of relevance maps: where relevance lies, how maps change, whether they are faithful."""
