"""What was measured of a study, as records: the study writes them, the report reads them.

A record with a `NAME` is a JSON file of the study's folder. Records that one module of
`emorank.evaluation` makes (`Classification`, `RankValidation`, …) stay beside the code that makes
them; here they are put together.
"""
