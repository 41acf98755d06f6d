#!/usr/bin/env python
"""The command line of polybot: `manage.py help` lists the commands. A mistake in the configuration, or a database that is
away, ends with one message."""

import os
import sys

from domain.errors import PolybotError


def main() -> None:
    """Run the command named in the arguments."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "polybot_site.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except PolybotError as error:
        sys.exit(f"error: {error}")
    except OperationalError as error:
        sys.exit(f"error: PostgreSQL does not answer ({error}): `manage.py services up` starts the embedded server")


if __name__ == "__main__":
    main()
