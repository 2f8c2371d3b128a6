"""What can be asked of a study beside its stages, one file each."""
