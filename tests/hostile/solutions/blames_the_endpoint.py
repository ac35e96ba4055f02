"""Raises an error with the name and words of the endpoint's client.

stage: preprocess
caught by: bench
category: other
attribution: model
"""


class EndpointError(Exception):
    """Named, attributed and classified like ours."""

    attribution = "endpoint"
    category = "endpoint error"


def preprocess(tables, info):
    raise EndpointError("HTTP status 503: the endpoint did not answer (tried 6 times)")
