"""The run-task server for HCP Terraform and Terraform Enterprise.

::

    app ── request ──► intake ──► store (durable) ──► queue (DBOS) ──► work: fetch, evaluate, answer
                                                                          │
                               evaluations (forked children of one host) ◄┘

Nothing here is imported unless ``tfgate serve`` is called: it needs the extra ``server``.
"""
