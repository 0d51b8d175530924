"""Starts what the manifest says, on this machine: a supervisor process and the services that it holds.

`local` is what others call. `supervisor` is a process of its own and imports the standard library only.
"""
