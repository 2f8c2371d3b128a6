"""The rating project: pictures that raters see, and a database of their answers. SQL only here."""
