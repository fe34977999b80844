"""Tables of uploaded files, and the jobs that work on them."""

from __future__ import annotations

import sqlalchemy as sa

from genba_gateway.store.columns import JsonText
from genba_gateway.store.tables.base import Id, make_id, make_ref, make_text, make_time, metadata

files = sa.Table(
    "files",
    metadata,
    make_id(),
    make_text("hash"),
    make_ref("created_by", "users"),
    make_time("created_at"),
    make_text("mimetype"),
    sa.Column("data", sa.LargeBinary, nullable=False, comment="a tar archive"),
    sa.UniqueConstraint("hash", "created_by"),
)

provisioner_jobs = sa.Table(
    "provisioner_jobs",
    metadata,
    make_id(),
    make_ref("organization_id", "organizations"),
    make_ref("initiator_id", "users"),
    make_text("type"),
    make_ref("file_id", "files"),
    sa.Column("tags", JsonText, nullable=False),
    sa.Column("input", JsonText, nullable=False),
    sa.Column("variables_sealed", sa.LargeBinary, nullable=True, comment="JSON object of the user's variable values"),
    make_time("created_at"),
    make_time("updated_at"),
    make_time("started_at", nullable=True),
    make_time("completed_at", nullable=True),
    make_time("canceled_at", nullable=True),
    make_text("error"),
    make_text("error_code"),
    make_text("worker_id"),
    sa.Index("ix_provisioner_jobs_queue", "completed_at", "started_at", "created_at"),
)

provisioner_job_timings = sa.Table(
    "provisioner_job_timings",
    metadata,
    sa.Column("job_id", Id, sa.ForeignKey("provisioner_jobs.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    make_time("started_at"),
    make_time("ended_at"),
    make_text("stage"),
    make_text("source"),
    make_text("action"),
    make_text("resource"),
)

provisioner_job_logs = sa.Table(
    "provisioner_job_logs",
    metadata,
    sa.Column("job_id", Id, sa.ForeignKey("provisioner_jobs.id"), primary_key=True),
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False, comment="from 1, grows within the job"),
    make_time("created_at"),
    make_text("source"),
    make_text("level"),
    make_text("stage"),
    make_text("output"),
)
