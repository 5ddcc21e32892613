"""`make env`: the variables of the examples in the documentation, for the demo that runs."""

import json
import shlex
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

# Each variable with its name in demo.json.
VARIABLES = {
    "URL": "url",
    "TOKEN": "api_token",
    "OWNER": "owner_uuid",
    "CHANNEL": "channel_uuid",
    "VIDEO": "video_uuid",
}


def exports(path: Path) -> str:
    """Return a line of `export` for each variable, after a request that proves that this demo answers.

    Raises:
        KeyError, OSError, ValueError, HTTPException: no demo with this file runs, or it is not ready yet.
    """
    demo = json.loads(path.read_text())
    values = {variable: demo[name] for variable, name in VARIABLES.items()}
    connection = HTTPConnection(urlsplit(values["URL"]).netloc, timeout=10)
    headers = {"Authorization": f"Bearer {values['TOKEN']}"}
    connection.request("GET", f"/channels/{values['CHANNEL']}", headers=headers)
    status = connection.getresponse().status
    connection.close()
    if status != HTTPStatus.OK:
        raise ValueError(f"another service answers there with {status}")
    return "".join(f"export {variable}={shlex.quote(value)}\n" for variable, value in values.items())


if __name__ == "__main__":
    _path = Path(sys.argv[1]).expanduser() / "demo.json"
    try:
        sys.stdout.write(exports(_path))
    except (KeyError, OSError, ValueError, HTTPException):
        sys.exit(f"No demo with {_path} is ready: run `make demo` in another terminal, and wait for its links.")
