"""Rows in memory or on disk: read, written whole or not at all, sorted, compared, fingerprinted, summarised."""
