"""Versions of a data set: kept with what they came from, published, restored, compared."""
