"""Which programs run others, so that an allow for one of them would be an allow for all. Pure."""

import re

# Words that make another command run: the shell's own, and programs that do no more than that.
_RUNS_ANOTHER = frozenset(
    """! [[ { case coproc do done elif else esac fi for function if in select then time until while }
    . alias builtin command compgen complete enable eval exec fc hash mapfile readarray source trap
    chroot chrt doas env flock ionice nice nohup nsenter parallel runuser setpriv setsid stdbuf su sudo
    taskset timeout unshare xargs
    busybox bwrap caffeinate cgexec dbus-run-session dumb-init entr fakeroot firejail gosu linux32 linux64
    ltrace numactl perf pkexec prlimit rlwrap run0 run-parts runcon script setarch sg ssh-agent sshpass
    start-stop-daemon strace su-exec systemd-run tini toybox unbuffer valgrind watch
    xvfb-run""".split()  # noqa: SIM905  a list of words is read as one
)
# Programs that run what they are given as text.
_INTERPRETER = re.compile(
    r"(?:ba|da|z|k|mk|c|tc|fi|a|ya|pw)?sh|i?python[\d.]*|pypy[\d.]*|perl[\d.]*|ruby[\d.]*|irb|node(?:js)?|deno|bun|"
    r"php[\d.]*|lua(?:jit)?[\d.]*|[gmn]?awk|tclsh[\d.]*|expect|Rscript|julia|guile[\d.]*|osascript|vim?|ed|emacs|"
    r"gdb|sqlite3",
    re.IGNORECASE,
)


# Programs whose first argument says what they do: an allow for all of one would be much more than was asked.
WITH_SUBCOMMANDS = frozenset(
    """git npm npx pnpm yarn bun bunx deno cargo rustup go dotnet mvn gradle gradlew make just task
    docker podman docker-compose kubectl helm terraform pip pip3 pipx uv uvx poetry pdm hatch tox
    nox conda bundle rake gem composer mix flutter dart swift gh glab hub aws gcloud az systemctl
    launchctl brew apt apt-get dnf yum pacman apk svn hg openclaw clawdbot""".split()  # noqa: SIM905
)

# Programs one of whose options names a program to run, wherever in the line it stands.
_BY_OPTION = {
    "find": "-exec",
    "rsync": "-e",
    "scp": "-o ProxyCommand",
    "sftp": "-o ProxyCommand",
    "ssh": "-o ProxyCommand",
    "tar": "--to-command",
}


def option_that_runs(name: str) -> str | None:
    """The option of a program, by its name or path, that makes it run any other."""
    return _BY_OPTION.get(name.rpartition("/")[2].lower())


def runs_another(name: str) -> bool:
    """A program by its name or path. With = in it, it is no command but a variable of the next one."""
    return "=" in name or name.rpartition("/")[2].lower() in _RUNS_ANOTHER


def interprets(name: str) -> bool:
    return _INTERPRETER.fullmatch(name.rpartition("/")[2]) is not None


def names_interpreter(pattern: str) -> bool:
    """Whether whoever wrote the pattern meant an interpreter: `python3*`, but not `/usr/bin/*`."""
    return interprets(re.split(r"[*?\[]", pattern, maxsplit=1)[0])
