"""Features declared and fitted: `rules` is what a file says, `fitting` learns a plan from the training rows.

The plan is a record (`mlops.records.features`); `mlops.serving.features.apply` makes the features of it, everywhere.
"""
