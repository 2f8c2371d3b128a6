"""The stages from images to the report, one file each; `study/run.py` orders them."""
