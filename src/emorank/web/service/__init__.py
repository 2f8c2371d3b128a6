"""The service: faces and explanations as JSON, for programs."""
