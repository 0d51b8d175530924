"""A look at data nobody has described yet: what is in it, and a suite and a declaration as proposals to review."""
