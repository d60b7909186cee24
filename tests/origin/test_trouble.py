"""What a user reads when GitHub cannot be reached."""

import asyncio
import errno
import ssl
from unittest.mock import Mock

import aiohttp
import pytest

from gh_p2pcache.origin.trouble import words

KEY = Mock(spec=["ssl", "host", "port"], ssl=True, host="api.github.com", port=443)
REFUSED = OSError(errno.ECONNREFUSED, "Connect call failed ('192.0.2.1', 443)")
UNTRUSTED = ssl.SSLCertVerificationError(1, "certificate verify failed")
UNTRUSTED.verify_message = "self-signed certificate"
NO_TRUST = (
    "its certificate is not trusted (self-signed certificate); SSL_CERT_FILE can name a proxy's CA"
)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (asyncio.TimeoutError(), "no answer in time"),
        (aiohttp.ConnectionTimeoutError("to https://…"), "no answer in time"),
        (
            aiohttp.ClientConnectorDNSError(KEY, OSError(None, "DNS lookup failed")),
            "its name has no address from here",
        ),
        (aiohttp.ClientConnectorError(KEY, REFUSED), "Connection refused"),
        (
            aiohttp.ClientProxyConnectionError(KEY, REFUSED),
            "the proxy does not answer (Connection refused)",
        ),
        (
            aiohttp.ClientConnectorCertificateError(KEY, UNTRUSTED),
            NO_TRUST,
        ),
        (
            aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "WRONG_VERSION_NUMBER")),
            "no TLS (WRONG_VERSION_NUMBER)",
        ),
        (
            aiohttp.ClientHttpProxyError(Mock(), (), status=407, message="Who are you?"),
            "the proxy answered: Who are you?",
        ),
        (aiohttp.ServerDisconnectedError(), "the connection was closed"),
        (aiohttp.ClientOSError(errno.ECONNRESET, "…"), "Connection reset by peer"),
        (aiohttp.ClientError(), "ClientError"),
    ],
)
def test_it_is_a_reason_and_neither_an_address_nor_an_object(
    error: BaseException, said: str
) -> None:
    assert words(error) == said
