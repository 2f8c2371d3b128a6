"""The rating room in the browser: pages for raters and for the owner of a project."""
