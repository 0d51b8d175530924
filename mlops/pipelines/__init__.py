"""Pipelines: declared steps, the runner that executes them, and the receipts that they leave."""
