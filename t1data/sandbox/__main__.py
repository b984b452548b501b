"""``python -m t1data.sandbox``: the sandbox without the rest of the command line."""

from __future__ import annotations

import argparse
import sys

from t1data.sandbox.run import run


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(prog="python -m t1data.sandbox", description="Serve a local Talon.One.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; any free one when left out")
    parser.add_argument("--db", metavar="FILE", help="SQLite file that keeps the account")
    parser.add_argument("--data", metavar="FOLDER", help="seed for a new account")
    parser.add_argument("--rate", type=float, metavar="R", help="requests a second before a 429")
    options = parser.parse_args()
    try:
        run(port=options.port, db=options.db, data=options.data, rate=options.rate)
    except (OSError, ValueError) as error:
        sys.exit(f"The sandbox cannot start: {error}")


if __name__ == "__main__":
    main()
