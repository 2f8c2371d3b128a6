"""The rating project: pictures that raters see, and a database of what they say. SQL only here."""
