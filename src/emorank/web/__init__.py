"""The rating room in the browser: pages for raters and for the owner of a project.

Whoever imports a module of this package needs the extra `web`; `emorank.cli.rate` says so.
"""
