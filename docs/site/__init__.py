"""The site of the documentation, built from the Markdown pages, the program and its docstrings."""
