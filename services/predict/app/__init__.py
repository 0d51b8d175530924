"""The model server: scores rows with the models that the release lists, and with nothing else."""
