"""``t1data sandbox``: a local Talon.One as a process."""

from __future__ import annotations

import click

from t1data.errors import ConfigError


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="The port on 127.0.0.1; any free one if left out."
)
@click.option("--db", metavar="FILE", help="A SQLite file that keeps the account; in memory if left out.")
@click.option(
    "--data", metavar="FOLDER", help="Seeds a new account with the attributes, campaigns and codes found there."
)
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), metavar="R", help="Requests a second before a 429."
)
def sandbox(*, port: int, db: str | None, data: str | None, rate: float | None) -> None:
    """Serve a local Talon.One until Ctrl-C or SIGTERM.

    When it is ready it writes one line of JSON with base_url, api_key and management_key.
    """
    from t1data.sandbox.run import run

    try:
        run(port=port, db=db, data=data, rate=rate)
    except (OSError, ValueError) as error:
        raise ConfigError(f"The sandbox cannot start: {error}") from error
