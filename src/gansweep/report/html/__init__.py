"""Self-contained HTML report, readable from disk without a server."""
