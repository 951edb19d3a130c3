"""Record docs/terminal-session.md anew: in a clone of what is committed, with an empty home. Some minutes."""

import os
import subprocess
import tempfile
from pathlib import Path

from tests.docs.session.recording import page, record

ROOT = Path(__file__).resolve().parents[3]
# What finds programs and packages on this machine; nothing that says how the gateway is to be.
_KEPT = ("PATH", "LANG", "LC_ALL", "PIP_", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def main() -> None:
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    venv = str(ROOT / ".venv" / "bin")
    kept["PATH"] = os.pathsep.join(part for part in kept["PATH"].split(os.pathsep) if part != venv)
    with tempfile.TemporaryDirectory() as folder:
        home, checkout = Path(folder, "home"), Path(folder, "openclaw-gateway")
        home.mkdir()
        clone = ["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(checkout)]
        subprocess.run(clone, check=True, timeout=300)
        session = record(home, checkout, kept, port="", fresh=True)
        text = page(session, home, checkout)
    (ROOT / "docs" / "terminal-session.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
