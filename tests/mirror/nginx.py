"""nginx before a mirror: well-behaved, slow, redirecting, without ranges, or lying."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mirror.process import binary, free_port, serving

_CONF = """
daemon off;
{user}
worker_processes 1;
pid {scratch}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log {scratch}/access.log;
    client_body_temp_path {scratch}/body;
    proxy_temp_path {scratch}/proxy;
    fastcgi_temp_path {scratch}/fastcgi;
    uwsgi_temp_path {scratch}/uwsgi;
    scgi_temp_path {scratch}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {root};
        location /slow/ {{ alias {root}/; limit_rate 400k; }}
        location /moved/ {{ rewrite ^/moved/(.*)$ /$1 redirect; }}
        location /endless/ {{ return 302 $request_uri; }}
        location /whole/ {{ alias {root}/; max_ranges 0; }}
        location /refused/ {{ return 403; }}
        location /broken/ {{ return 502; }}
        {more}
    }}
}}
"""


class Nginx:
    """A running nginx: its address, and what it was asked for."""

    def __init__(self, port: int, scratch: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._log = scratch / "access.log"

    def requests(self) -> list[tuple[str, int]]:
        """(first line of the request, status) of everything it was asked for, in order."""
        lines = self._log.read_text().splitlines()
        return [(line.split('"')[1], int(line.split('"')[2].split()[0])) for line in lines]


@contextmanager
def nginx(root: Path, scratch: Path, more: str = "") -> Iterator[Nginx]:
    """nginx before the folder `root`, with `more` in its configuration."""
    program, port = binary("nginx", "nginx-light"), free_port()
    scratch.mkdir(parents=True, exist_ok=True)
    user = "user root;" if os.geteuid() == 0 else ""  # folders of tests are private to the user
    conf = scratch / "nginx.conf"
    conf.write_text(_CONF.format(root=root, scratch=scratch, port=port, more=more, user=user))
    with serving([program, "-c", str(conf), "-p", str(scratch)], port, scratch / "nginx.log"):
        yield Nginx(port, scratch)


def before(upstream: str) -> str:
    """Configuration that hands requests below /upstream/ to a server behind nginx, as it is."""
    return (
        f"location /upstream/ {{ proxy_pass {upstream}/; proxy_buffering off; "
        "proxy_http_version 1.1; proxy_intercept_errors off; }"
    )
