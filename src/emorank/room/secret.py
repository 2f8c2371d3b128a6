"""Secrets of links and sessions: random, 256 bits; stored as SHA-256 only.

That suffices because such secrets cannot be guessed.
"""

import hashlib
import secrets


def new_secret() -> str:
    """A secret that can stand in an address: 43 letters, digits, - and _."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """What the database has of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
