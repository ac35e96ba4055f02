"""Validates a crate against profiles, in the environment of tools/rocrate.sh and without a network.

Usage: validate.py CRATE PROFILE... Prints one JSON object: profile -> list of [severity, check,
entity, message]. The one thing that the validator would fetch, the context of RO-Crate 1.1, is that
of the `rocrate` beside it; anything else that is asked for is refused.
"""

from __future__ import annotations

import json
import sys
from importlib import resources
from typing import Any

import requests
from requests.adapters import HTTPAdapter

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


def answer(_adapter: HTTPAdapter, request: Any, **_options: Any) -> requests.Response:
    """The bundled context; ConnectionError for any other address."""
    if request.url != CONTEXT:
        raise requests.ConnectionError(
            f"expected no request but for the context, found {request.url}"
        )
    response = requests.Response()
    response.status_code = 200
    response.headers["Content-Type"] = "application/ld+json"
    response._content = resources.files("rocrate").joinpath("data/ro-crate.jsonld").read_bytes()
    response.url, response.request = request.url, request
    return response


def main() -> None:
    HTTPAdapter.send = answer  # type: ignore[method-assign, assignment]
    from rocrate_validator.models import Severity
    from rocrate_validator.services import validate

    crate, *profiles = sys.argv[1:]
    found = {}
    for profile in profiles:
        result = validate(
            {
                "rocrate_uri": crate,
                "profile_identifier": profile,
                "requirement_severity": Severity.RECOMMENDED,
                "no_cache": True,
            }
        )
        found[profile] = [
            [i.severity.name, i.check.identifier, str(i.violatingEntity), i.message]
            for i in result.get_issues()
        ]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
