"""GETs that GitHub answered, from the raw scenarios of npm's @octokit/fixtures (MIT).

Made anew by: PYTHONPATH=python:tests python -m support.recordings UNPACKED_PACKAGE
"""

import gzip
import json
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "data" / "octokit-fixtures.json.gz"


def load() -> list[dict[str, Any]]:
    """Return the exchanges: scenario, host, target, accept, status, headers, body or base64."""
    rows: list[dict[str, Any]] = json.loads(gzip.decompress(FILE.read_bytes()))
    return rows


def convert(package: Path) -> list[dict[str, Any]]:
    """Return the GETs of every raw scenario; bodies as GitHub's Content-Length says they were."""
    rows = []
    for file in sorted(package.glob("scenarios/*/*/raw-fixture.json")):
        for exchange in json.loads(file.read_text()):
            if exchange["method"] == "get":
                rows += [{"scenario": file.parent.name} | _row(exchange)]
    return rows


def _row(exchange: dict[str, Any]) -> dict[str, Any]:
    raw = exchange["rawHeaders"]
    headers = [[name, value] for name, value in zip(raw[::2], raw[1::2], strict=True)]
    body, text = exchange["response"], ""
    if exchange["responseIsBinary"]:
        content = {"base64": b64encode(bytes.fromhex(body)).decode()}
        size = len(bytes.fromhex(body))
    else:
        if isinstance(body, str):
            text = body
        else:
            # JavaScript, which recorded them, has no 1.0
            text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
            text = text.replace('"score":1}', '"score":1.0}')
        content, size = {"body": text}, len(text.encode())
    said = {name.lower(): value for name, value in headers}.get("content-length")
    assert said is None or int(said) == size, (exchange["path"], said, size)
    return {
        "host": exchange["scope"].removeprefix("https://").removesuffix(":443"),
        "target": exchange["path"],
        "accept": exchange["reqheaders"]["accept"],
        "status": exchange["status"],
        "headers": headers,
        **content,
    }


if __name__ == "__main__":
    package = Path(sys.argv[1])
    FILE.write_bytes(gzip.compress(json.dumps(convert(package)).encode(), 9, mtime=0))
    notice = FILE.with_name("octokit-fixtures.LICENSE.md")
    notice.write_bytes((package / "LICENSE.md").read_bytes())
