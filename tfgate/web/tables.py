"""The tables beside the engine's own: tasks and servers."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

tasks = sa.Table(
    "tfgate_tasks",
    metadata,
    sa.Column("id", sa.String(200), primary_key=True),
    sa.Column("run_id", sa.String(128), nullable=False),
    sa.Column("organization", sa.Text, nullable=False),
    sa.Column("project", sa.Text),
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("workspace_id", sa.String(128), nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("request", sa.LargeBinary, nullable=False),  # without the token
    sa.Column("token", sa.LargeBinary),  # encrypted; gone after the answer
    sa.Column("state", sa.String(16), nullable=False),  # open, answered, abandoned
    sa.Column("server", sa.String(128), nullable=False),
    sa.Column("accepted_at", sa.Float, nullable=False),
    sa.Column("beat_at", sa.Float, nullable=False),
    sa.Column("judged_at", sa.Float),
    sa.Column("closed_at", sa.Float),
    sa.Column("passed", sa.Boolean),
    sa.Column("undecided", sa.Boolean),
    sa.Column("message", sa.Text),
    sa.Column("decision_id", sa.String(128)),
    sa.Column("plan_sha256", sa.String(64)),
    sa.Column("obligations", sa.Integer),
    sa.Column("findings", sa.LargeBinary),  # JSON
    sa.Column("page", sa.LargeBinary),  # HTML, compressed
    sa.Index("tfgate_tasks_by_run", "run_id", "stage"),
    sa.Index("tfgate_tasks_by_state", "state", "server"),
    sa.Index("tfgate_tasks_by_time", "accepted_at"),
)

servers = sa.Table(
    "tfgate_servers",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("beat_at", sa.Float, nullable=False),
)
