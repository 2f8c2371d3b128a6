"""What raters said: the table of their answers, files of answers, the majority."""
