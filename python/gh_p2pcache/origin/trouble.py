"""What kept GitHub from answering, in words that say where to look."""

from __future__ import annotations

import asyncio
import os

import aiohttp

_SAID: tuple[tuple[type[BaseException], str], ...] = (
    (asyncio.TimeoutError, "no answer in time"),
    (aiohttp.ClientConnectorDNSError, "its name has no address from here"),
    (
        aiohttp.ClientConnectorCertificateError,
        "its certificate is not trusted ({why}); SSL_CERT_FILE can name a proxy's CA",
    ),
    (aiohttp.ClientConnectorSSLError, "no TLS ({why})"),
    (aiohttp.ClientProxyConnectionError, "the proxy does not answer ({why})"),
    (aiohttp.ClientHttpProxyError, "the proxy answered: {why}"),
    (aiohttp.ClientResponseError, "not an HTTP answer ({why})"),
    (aiohttp.ServerDisconnectedError, "the connection was closed"),
)
"""The first kind counts: some are kinds of those below them."""


def words(error: BaseException) -> str:
    """Return what is wrong, without a URL: aiohttp's own words show connections and contexts."""
    said = next((said for kind, said in _SAID if isinstance(error, kind)), "{why}")
    return said.format(why=_why(error))


def _why(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message  # its str() holds the URL
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return getattr(error.certificate_error, "verify_message", "") or "unknown"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return error.os_error.strerror or "unknown"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
