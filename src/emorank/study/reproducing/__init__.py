"""The paper's numbered tables and figures from any study (`emorank paper`)."""
