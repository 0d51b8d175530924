"""The replay: a history routed anew, by the workflow files of its own day.

    history                       asks git
    durations, outcome            what the runs take, and what the filters saved
    missed                        what the audit says of each day's tree
    play                          puts them together
"""
