"""The server entry: `python -m lib.ui.server` serves the dashboard with the streaming upload route.

Plain `streamlit run app.py` works too; uploads then go through Streamlit's own uploader, which holds them in
memory.
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import streamlit as st
from streamlit import config as streamlit_config
from streamlit.web import bootstrap

from lib.errors import Cancelled, MarginaliaError, SettingsError
from lib.jobs import shared_pool
from lib.sources import Run
from lib.ui.datasets import begin_with, drop_unused_datasets
from lib.ui.page import use_navigation
from lib.ui.upload_folder import close_upload_store, read_limits, upload_store
from lib.ui.upload_route import create_upload_route
from lib.ui.uploader import announce_upload_route, drop_ended_sessions

APP_SCRIPT = Path(__file__).resolve().parents[2] / "app.py"
# How often uploads of sessions that have ended are looked for.
_SWEEP_SECONDS = 30.0
_LAST_PORT = 65_535
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@asynccontextmanager
async def _lifespan(_app: object) -> AsyncGenerator[None]:
    """Make the upload folder when the server starts and remove it when it stops, also by a signal."""
    upload_store()
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_drop_ended_sessions)
            warming = Run()
            tasks.start_soon(anyio.to_thread.run_sync, _warm_worker, warming)
            try:
                yield
            finally:
                warming.cancel()
                tasks.cancel_scope.cancel()
    finally:
        close_upload_store()


def _warm_worker(run: Run) -> None:
    """Have a worker load what the first map needs, and compile it where this machine has not yet.

    It has the low priority of all that workers do, and nobody waits for it; where it fails the first map is late, and
    no worse.
    """
    try:
        shared_pool().warm("warm_layout", run=run)
    except Cancelled:
        pass
    except MarginaliaError as error:
        logging.getLogger("marginalia").warning("the worker could not be warmed: %s", error)


async def _drop_ended_sessions() -> None:
    while True:
        await anyio.sleep(_SWEEP_SECONDS)
        await anyio.to_thread.run_sync(drop_ended_sessions)
        await anyio.to_thread.run_sync(drop_unused_datasets)


def create_app(script: Path = APP_SCRIPT) -> st.App:
    """The dashboard as an ASGI application, for `main` or for any ASGI server with one worker process.

    Raises:
        SettingsError: There is no such script, or an environment variable cannot be used.
    """
    if not script.is_file():
        raise SettingsError(f"{script} is not there; the server needs the dashboard's script.")
    read_limits()
    use_navigation()
    base_url_path = str(streamlit_config.get_option("server.baseUrlPath") or "")
    allowed_origins = tuple(str(o) for o in streamlit_config.get_option("server.corsAllowedOrigins"))
    route = create_upload_route(upload_store, base_url_path=base_url_path, allowed_origins=allowed_origins)
    announce_upload_route(route.path)
    return st.App(script, routes=[route], lifespan=_lifespan)


def server_settings(host: str, port: int, environment: Mapping[str, str]) -> dict[str, object]:
    """What Streamlit is told beyond `.streamlit/config.toml`.

    MARGINALIA_ALLOWED_HOSTS and MARGINALIA_ALLOWED_ORIGINS are lists with commas. Without the former, on a loopback
    address, only loopback names are answered, so that no site on the web can reach the dashboard by pointing its own
    name here; a proxy on the same machine makes it necessary.
    """
    settings: dict[str, object] = {"server.address": host, "server.port": port}
    hosts, origins = (
        [part.strip() for part in environment.get(variable, "").split(",") if part.strip()]
        for variable in ("MARGINALIA_ALLOWED_HOSTS", "MARGINALIA_ALLOWED_ORIGINS")
    )
    if not hosts and host in _LOOPBACK:
        hosts = ["localhost", "127.0.0.1", "[::1]"]
    if hosts:
        settings["server.allowedHosts"] = hosts
    if origins:
        settings["server.corsAllowedOrigins"] = origins
    return settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped; returns the exit status (0, or 2 with a sentence on standard error)."""
    parser = argparse.ArgumentParser(prog="python -m lib.ui.server", description="Serve the Marginalia dashboard.")
    parser.add_argument("--host", default="localhost", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8501, help="port to listen on (default: 8501)")
    parser.add_argument("--sample", metavar="TOKEN", help="sample to begin with, such as sample-incident")
    parser.add_argument("--app", type=Path, default=APP_SCRIPT, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    settings = server_settings(options.host, options.port, os.environ)
    try:
        check_port(options.host, options.port)
        if options.sample:
            begin_with(options.sample)
        # Known before the application is made, which reads the base path from it.
        bootstrap.load_config_options(settings)
        app = create_app(options.app.resolve())
    except MarginaliaError as error:
        print(error, file=sys.stderr)
        return 2
    # The server passes a signal on once it has stopped; left alone, SIGTERM would end the process there and then, and
    # what is to be removed at exit would stay.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # Streamlit looks for `.streamlit/config.toml` beside the script that was started.
    sys.argv = [str(options.app.resolve())]
    try:
        app.run(config=settings)
    except KeyboardInterrupt:
        # The server has stopped in good order by now; Ctrl-C is how one ends it, not an error.
        print("Stopped.", file=sys.stderr)
    return 0


def check_port(host: str, port: int) -> None:
    """See whether the port can be had, before anything is started.

    Raises:
        SettingsError: There is no such port, it is taken, not allowed, or the host is not an address of this machine.
    """
    if not 0 <= port <= _LAST_PORT:
        raise SettingsError(f"There is no port {port}; choose one from 1024 to {_LAST_PORT}: make run PORT=8501")
    try:
        # The first address is the one that Streamlit's server will use.
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            what = "is in use by another program; stop it, or choose another port: make run PORT=8502"
        elif error.errno == errno.EACCES:
            what = "may not be used without root; choose one above 1023: make run PORT=8501"
        else:
            what = f"cannot be used ({error})"
        raise SettingsError(f"Port {port} on {host} {what}.") from error


if __name__ == "__main__":
    sys.exit(main())
