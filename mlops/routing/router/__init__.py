"""The router: (event, change) → which workflows GitHub starts, and why.

    automaton → glob → filters, yaml12 → workflows → decisions      pure
    events                                                          pure
    objects, differences → changes → requests                       ask git
    plans                                                           puts both together
"""
