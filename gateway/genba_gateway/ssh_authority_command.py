"""`genba server replace-ssh-authority`: another key for host certificates, for when the former may have leaked."""

from __future__ import annotations

import asyncio
import os

from genba_gateway.config import Config
from genba_gateway.errors import ConfigError
from genba_gateway.folders import prepare_folders
from genba_gateway.services.ssh_host_authority import SshHostAuthority
from genba_gateway.services.visibility import utc_now
from genba_gateway.store.engine import Database, path_of_url
from genba_gateway.store.sealing import load_sealer


async def replace_ssh_authority(config: Config) -> str:
    """Replace the key in the database, whether a gateway runs on it or not; returns the public half of the new one.

    Raises:
        ConfigError: there is no database.
    """
    folders = prepare_folders(config.data_dir)
    path = path_of_url(config.database_url) if config.database_url else folders.database
    if not await asyncio.to_thread(path.exists):
        raise ConfigError(f"There is no database {path}: name the gateway's --data-dir or --database-url.")
    sealer = load_sealer(folders.key_file, os.environ, has_data=True)
    database = Database(path)
    try:
        return (await SshHostAuthority(database, sealer, utc_now).replace()).public_line
    finally:
        await database.close()
