"""The run-task server for HCP Terraform and Terraform Enterprise.

::

    app ── request ──► intake ──► store (durable) ──► engine (DBOS) ──► work: fetch, judge, answer
                                                                          │
                                    judges (forked children of one host) ◄┘

Nothing here is imported unless ``tfgate serve`` is called: it needs the extra ``server``.
"""
