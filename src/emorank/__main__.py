"""`python -m emorank` is `emorank`."""

from emorank.cli import main

main()
