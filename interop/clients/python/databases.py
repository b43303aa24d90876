"""New databases on the servers that `with-databases` started."""

import itertools
import os
import subprocess

NUMBERS = itertools.count()


def postgres():
    """The URL of a new database of PostgreSQL."""
    return new("INTEROP_POSTGRES", lambda url, name: ["psql", "--quiet", "--command", f"CREATE DATABASE {name}", f"{url}/postgres"])


def mariadb():
    """The URL of a new database of MariaDB."""

    def create(url, name):
        host, _, port = url.rpartition("@")[2].partition(":")
        return ["mariadb", f"--host={host}", f"--port={port}", "--user=root", "--execute", f"CREATE DATABASE {name}"]

    return new("INTEROP_MARIADB", create)


def new(variable, create):
    url, name = os.environ[variable], f"interop_{os.getpid()}_{next(NUMBERS)}"
    subprocess.run(create(url, name), check=True, stdout=subprocess.DEVNULL)
    return f"{url}/{name}"
