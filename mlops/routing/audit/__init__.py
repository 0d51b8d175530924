"""The audit: do the path filters hold every input of their pipelines, does each line count, is there no loop?

    tree                                          the files, as git sees them
    references, commands, makefiles → graph       what each file leads to, read and never run
    patterns, inputs, loops → findings → sync     what is wrong with the filters, and the filters as they should be
"""
