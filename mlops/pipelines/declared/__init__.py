"""The declared steps, one module a pipeline, each with the functions that its steps call.

A module imports its rooms late, inside the functions: the import closure of one function is the
code of that step, and no pipeline's closure holds another pipeline's rooms.
"""
