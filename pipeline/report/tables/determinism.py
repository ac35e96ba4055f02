"""The line of the Agents section that says whether the same bits were asked for, and found."""

from __future__ import annotations

from pipeline.controller import SERVERS_FILE
from pipeline.determinism.asked import asked
from pipeline.report.folder import PointFolder

NOT_MEASURED = (
    "Whether this server answers identically alone and in a crowd was not measured "
    "(`ladon serve model=... --check-determinism`)."
)


def determinism_line(point: PointFolder) -> str:
    """What was asked of the server, and what a measurement of such a server found identical.

    Empty where no server answered: replies of people, recordings.
    """
    said = asked(point.settings)
    if not said:
        return ""
    servers = point.json(SERVERS_FILE)["servers"] if point.exists(SERVERS_FILE) else []
    told = [server["determinism"] for server in servers if server.get("determinism")]
    found = [f"{one['sentence']} (server {one['server']})" for one in told]
    if servers and not found and point.settings.model.deterministic:
        found = [NOT_MEASURED]
    return " ".join([*said, *dict.fromkeys(found)])
