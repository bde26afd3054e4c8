"""Approvals in the browser.

::

    job ── its own token ──► api ──► desk ──► store ◄── desk ◄── web ◄── provider's login ── person
                                      │
                                      └──► webhooks

Nothing here is imported unless the server's configuration has ``[approvals]``.
"""
