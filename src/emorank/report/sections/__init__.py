"""The sections of the report: each with its tables, its figures and its template."""
