"""What emorank serves to browsers: a folder for each application, and what is before all of them.

Whoever imports a module of this package needs the extra `web`; `emorank.cli.rate` says so.
"""
