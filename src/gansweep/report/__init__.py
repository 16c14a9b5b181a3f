"""What a sweep found, for those who read it: tables, verdicts, pictures and a page."""
