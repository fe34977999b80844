"""Tables of users, what they belong to, and what signs them in."""

from __future__ import annotations

import sqlalchemy as sa

from genba_gateway.store.columns import JsonText
from genba_gateway.store.tables.base import (
    NOT_DELETED,
    Id,
    make_flag,
    make_id,
    make_ref,
    make_text,
    make_time,
    metadata,
)

organizations = sa.Table(
    "organizations",
    metadata,
    make_id(),
    make_text("name"),
    make_text("display_name"),
    make_text("icon"),
    make_text("description"),
    make_flag("is_default"),
    make_time("created_at"),
    make_time("updated_at"),
    make_flag("deleted"),
    sa.Index("uq_organizations_name", "name", unique=True, sqlite_where=NOT_DELETED),
)

users = sa.Table(
    "users",
    metadata,
    make_id(),
    make_text("username"),
    make_text("email"),
    make_text("name"),
    make_text("password_hash"),
    make_text("status", default="active"),
    make_text("login_type", default="password"),
    make_text("avatar_url"),
    make_text("theme_preference"),
    sa.Column("roles", JsonText, nullable=False),
    make_time("created_at"),
    make_time("updated_at"),
    make_time("last_seen_at"),
    make_flag("deleted"),
    sa.Index("uq_users_username", sa.text("lower(username)"), unique=True, sqlite_where=NOT_DELETED),
    sa.Index("uq_users_email", sa.text("lower(email)"), unique=True, sqlite_where=NOT_DELETED),
)

organization_members = sa.Table(
    "organization_members",
    metadata,
    sa.Column("organization_id", Id, sa.ForeignKey("organizations.id"), primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("roles", JsonText, nullable=False),
    make_time("created_at"),
    make_time("updated_at"),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.String(10), primary_key=True),
    make_ref("user_id", "users", index=True),
    sa.Column("hashed_secret", sa.LargeBinary, nullable=False, comment="SHA-256 of the secret"),
    make_text("login_type"),
    make_text("scope", default="all"),
    make_text("token_name"),
    sa.Column("lifetime_seconds", sa.BigInteger, nullable=False),
    make_text("ip_address"),
    make_time("created_at"),
    make_time("updated_at"),
    make_time("last_used"),
    make_time("expires_at"),
    sa.Index(
        "uq_api_keys_user_id_token_name", "user_id", "token_name", unique=True, sqlite_where=sa.text("token_name <> ''")
    ),
)

sign_in_links = sa.Table(
    "sign_in_links",
    metadata,
    sa.Column("hashed_secret", sa.LargeBinary, primary_key=True, comment="SHA-256 of the secret in the link"),
    make_ref("user_id", "users"),
    make_time("created_at"),
    make_time("expires_at"),
)

git_ssh_keys = sa.Table(
    "git_ssh_keys",
    metadata,
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), primary_key=True),
    make_text("public_key"),
    sa.Column("private_key_sealed", sa.LargeBinary, nullable=False),
    make_time("created_at"),
    make_time("updated_at"),
)
