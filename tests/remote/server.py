"""An SSH server on the loopback address, with logins that are as different as devices are."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests import processes

# Not on the PATH of everybody.
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
# Seconds that the server may take to start.
START_S = 60.0
KEY = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "")
# What pip on a device may need to know of a network.
HANDED_ON = ("PIP_", "SSL_", "REQUESTS_", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
# Python as a device has it, not that of a virtual environment.
PATH = f"{sys.base_prefix}/bin:/usr/bin:/bin"

SERVER = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
"""
LOGIN = """\
#!/bin/sh
echo $PPID > {session}
{exports}
cd "$HOME"
{before}
exec {start} /bin/sh -c "$SSH_ORIGINAL_COMMAND"
"""
CLIENT = """\
Host {name}
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {key}
  IdentitiesOnly yes
  UserKnownHostsFile {known}
  StrictHostKeyChecking ask
"""


@dataclass(frozen=True)
class Login:
    """A name to connect to, and the home it gets to. session: the file with the server's process for the last one."""

    name: str
    home: Path
    session: Path

    def cut(self) -> None:
        """End the server's side of the connection, as a switched-off device does."""
        os.kill(int(self.session.read_text()), signal.SIGKILL)

    def processes(self) -> list[int]:
        """Return the processes that run in this home."""
        return processes.with_variable("HOME", str(self.home))

    def processes_after(self, seconds: float) -> list[int]:
        """Return the processes that are still there after some time."""
        return processes.left_after(seconds, self.processes)


class Server:
    """An sshd of its own, and a client's configuration that knows it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("authorized_keys", "known_hosts", "config"):
            (folder / name).touch()
        subprocess.run([*KEY, "-f", folder / "host"], check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "sshd_config").write_text(SERVER.format(port=self.port, folder=folder))
        self.trust(folder / "host.pub")
        # The client takes its configuration from the user's real home, whatever HOME says.
        client = folder / "bin" / "ssh"
        client.parent.mkdir()
        client.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder / "config"} "$@"\n')
        client.chmod(0o755)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        command = [str(SSHD), "-D", "-f", str(folder / "sshd_config"), "-E", str(folder / "log")]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self._wait()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()

    def trust(self, public_key: Path) -> None:
        """Let the client's known_hosts say that the server has this key."""
        kind, key = public_key.read_text().split()[:2]
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {kind} {key}\n")

    def login(self, name: str, home: Path, *, start: str = "", before: str = "", path: str = PATH, **environment: str):
        """Add a login. start: a command that starts the shell. before: lines of its profile."""
        kept = {key: value for key, value in os.environ.items() if key.startswith(HANDED_ON)}
        exports = {**kept, "HOME": str(home), "PATH": path, **environment}
        session, script, key = (self.folder / f"{name}{suffix}" for suffix in (".session", ".sh", ".key"))
        lines = "\n".join(f"export {variable}='{value}'" for variable, value in exports.items())
        script.write_text(LOGIN.format(session=session, exports=lines, start=start, before=before))
        script.chmod(0o755)
        subprocess.run([*KEY, "-f", key], check=True)
        public = key.with_name(f"{key.name}.pub").read_text()
        with (self.folder / "authorized_keys").open("a") as keys:
            keys.write(f'restrict,command="{script}" {public}')
        self.configure(name, key=key)
        home.mkdir(parents=True, exist_ok=True)
        return Login(name, home, session)

    def configure(self, name: str, *, key: Path, port: int | None = None, known: str = "known_hosts") -> None:
        """Add a name to the client's configuration."""
        with (self.folder / "config").open("a") as config:
            config.write(
                CLIENT.format(
                    name=name, port=port or self.port, user=getpass.getuser(), key=key, known=self.folder / known
                )
            )

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())
