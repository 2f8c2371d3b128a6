"""Films as tables: every frame's faces, whose they are, and when each expression comes and goes."""
