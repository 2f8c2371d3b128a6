"""How far the ranks of a study can be believed (`emorank audit`)."""
