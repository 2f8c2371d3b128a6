"""Ranks beside the intensity estimators of Table 10 (`emorank compare`)."""
