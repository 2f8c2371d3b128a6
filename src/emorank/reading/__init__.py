"""From pictures to rows: one reader for every verb that ranks or explains new images."""
