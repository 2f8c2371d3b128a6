"""From pictures to rows, for whoever asks: read, frame, measure, rank."""
