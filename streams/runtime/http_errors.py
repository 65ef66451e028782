"""Errors of HTTP in words that may be logged.

Their own text may hold the address of a proxy with its password, and headers that were sent.
"""

import aiohttp


def without_secrets(error: Exception) -> str:
    """Return what went wrong, without anything that was sent."""
    match error:
        case aiohttp.ClientResponseError():
            return f"{type(error).__name__}: status {error.status}"
        case aiohttp.ClientProxyConnectionError():
            return type(error).__name__
        case aiohttp.ClientConnectorError():
            return str(error)
    return type(error).__name__
