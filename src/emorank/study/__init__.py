"""A study: a plan, a folder, and the stages from images to the report."""
