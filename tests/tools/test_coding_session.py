"""A coding session of sixty calls, written as models write them: few are refused, and no file is damaged."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.builtin import apply_patch, edit, find, grep, ls, manage, process, read, write
from openclaw_gateway.tools.builtin import exec as exec_tool
from openclaw_gateway.tools.exec.approvals import allow
from openclaw_gateway.tools.exec.approvals_file import approvals_path, changing
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from tests.security.planted import git
from tests.tools.rooms import Room

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")
TOOLS = (exec_tool, process, read, write, edit, apply_patch, manage, ls, find, grep)
DOS = b"@echo off\r\nset NAME=old\r\necho %NAME%\r\n"
UNIFIED = """--- a/src/util.py
+++ b/src/util.py
@@ -1,3 +1,4 @@
 def add(a, b):
-    return a - b
+    # Both are numbers.
+    return a + b
"""
OURS = """*** Begin Patch
*** Update File: src/app.py
@@ def main():
-    print("hello")
+    print("hello, world")
*** Add File: docs/usage.md
+# Usage
+
+Run it.
*** End Patch"""
HERE_DOCUMENT = """apply_patch <<'EOF'
*** Begin Patch
*** Update File: src/app.py
@@
 def main():
-    print(\u201chello, world\u201d)
+    print("hi")
*** End Patch
*** Begin Patch
*** Add File: docs/more.md
+More.
*** End Patch
EOF
"""
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ls", {}),
    ("exec", {"command": "ls -la 2>&1"}),
    ("exec", {"command": "pwd && ls"}),
    ("exec", {"command": "git status --short 2>/dev/null"}),
    ("exec", {"command": "git log --oneline -5 2>&1 | head -n 5"}),
    ("exec", {"command": "find . -name *.py -not -path '*/node_modules/*' | sort"}),
    ("exec", {"command": "find . -type f -name '*.md' 2>/dev/null | head -20"}),
    ("exec", {"command": "cat README.md 2>/dev/null || echo 'no readme'"}),
    ("exec", {"command": "cat src/*.py"}),
    ("exec", {"command": "wc -l src/*.py | tail -1"}),
    ("exec", {"command": "sed -n '1,20p' src/app.py"}),
    ("exec", {"command": "sed -n '/def /p' src/util.py"}),
    ("exec", {"command": "head -n 2 src/app.py; echo ---; tail -n +2 src/app.py"}),
    ("exec", {"command": "grep -rn 'def ' src --include=*.py"}),
    ("exec", {"command": 'grep -rn "/api/v1" . 2>/dev/null | head'}),
    ("exec", {"command": "grep -n -A 3 'def main' src/app.py"}),
    ("exec", {"command": "which python3 git 2>/dev/null"}),
    ("exec", {"command": "command -v node >/dev/null 2>&1 && echo there || echo none"}),
    ("exec", {"command": "cd src && ls *.py"}),
    ("exec", {"command": "cd src; wc -l app.py"}),
    ("exec", {"command": "cd src && grep -c def *.py | sort"}),
    ("exec", {"command": "cat package.json | jq .name 2>/dev/null || true"}),
    ("exec", {"command": "du -sh * 2>/dev/null | sort -h"}),
    ("exec", {"command": "file src/app.py > /dev/null; echo done"}),
    ("exec", {"command": "echo $HOME"}),
    ("read", {"path": "src/app.py"}),
    ("read", {"path": "run.bat", "limit": 10}),
    ("grep", {"pattern": "return", "glob": "*.py", "context": 1}),
    ("find", {"pattern": "**/*.bat"}),
    ("apply_patch", {"input": UNIFIED}),
    ("apply_patch", {"input": OURS}),
    ("apply_patch", {"patch": HERE_DOCUMENT}),
    ("exec", {"command": "git diff --stat"}),
    ("exec", {"command": "git diff src/util.py | cat"}),
    ("edit", {"path": "run.bat", "oldText": "set NAME=old\n", "newText": "set NAME=new\nset MORE=1\n"}),
    ("edit", {"file_path": "run.bat", "old_string": "echo %NAME%", "new_string": "echo %NAME%\necho %MORE%"}),
    (
        "edit",
        {
            "path": "src/util.py",
            "edits": [
                {"oldText": "def add(a, b):", "newText": "def add(a: int, b: int) -> int:"},
                {"oldText": "# Both are numbers.", "newText": "# Whole numbers."},
            ],
        },
    ),
    ("write", {"path": "src/new.py", "content": "X = 1\n"}),
    (
        "write",
        {"path": "tests/test_new.py", "content": "from src.new import X\n\n\nassert X\n"},
    ),
    ("manage", {"action": "mkdir", "path": "build/out"}),
    ("manage", {"action": "rename", "path": "src/new.py", "to": "src/values.py"}),
    ("manage", {"action": "move", "path": "docs/more.md", "to": "build"}),
    ("exec", {"command": "ls -R build docs 2>/dev/null"}),
    ("edit", {"path": "tests/test_new.py", "oldText": "src.new", "newText": "src.values"}),
    ("exec", {"command": "python3 -m pytest --version 2>&1 | tail -20"}),
    ("exec", {"command": "cd src && python3 -m py_compile app.py util.py values.py 2>&1"}),
    ("exec", {"command": "npm test 2>&1 | tail -n 5"}),
    ("manage", {"action": "delete", "path": "build", "recursive": True}),
    ("apply_patch", {"input": "*** Begin Patch\n*** Delete File: link\n*** End Patch"}),
    ("exec", {"command": "git add -A 2>&1 && git status -s"}),
    ("exec", {"command": "git commit -m 'Add: numbers; \"quoted\" $HOME' 2>&1 | tail -1"}),
    ("exec", {"command": "git log -1 --format='%an %s'"}),
    ("exec", {"command": "git show --stat HEAD | head -n 20"}),
    ("exec", {"command": "git branch --show-current"}),
    ("exec", {"command": "diff src/app.py src/util.py | head -n 3"}),
    ("exec", {"command": "cat run.bat | tr -d '\\r' | nl"}),
    ("exec", {"command": "cut -d / -f 2 docs/usage.md | sort | uniq -c"}),
    ("exec", {"command": "echo done > /tmp/done.txt"}),
    ("exec", {"command": "ls README.md >/dev/null && echo yes"}),
    ("exec", {"command": "rg -n '/users/:id' -g '*.py' src 2>/dev/null || echo none"}),
)


@pytest.fixture
async def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Ann\n\temail = ann@example.org\n")
    monkeypatch.setenv("HOME", str(home))
    commands = CommandSessions()
    room = Room(tmp_path, *TOOLS, settings={}, commands=commands)
    room.write("README.md", "# It\n")
    room.write("src/app.py", 'def main():\n    print("hello")\n')
    room.write("src/util.py", "def add(a, b):\n    return a - b\n")
    room.write("run.bat", DOS)
    room.write("package.json", '{"name": "it"}')
    (room.root / "link").symlink_to("README.md")
    git(room.root, "init", "-q", "-b", "main")
    git(room.root, "add", ".")
    git(room.root, "commit", "-q", "-m", "first")
    with changing(approvals_path(room.state)) as document:
        for pattern in ("git", "npm test", "python3 -m pytest", "python3 -m py_compile"):
            allow(document, "main", pattern)
    yield room
    await commands.close()


async def test_sixty_calls_as_models_write_them(room: Room) -> None:
    assert len(CALLS) == 60
    refused: list[str] = []
    for name, arguments in CALLS:
        try:
            result = await room.result(name, **arguments)
        except ToolError as error:
            refused.append(f"{name} {arguments}: {error}")
        else:
            assert not result.is_error, (name, arguments, result.text)
    assert len(refused) <= 3, "\n\n".join(refused)
    held = {
        str(file.relative_to(room.root)): file.read_bytes()
        for file in room.root.rglob("*")
        if file.is_file() and not {".git", "__pycache__", ".pytest_cache"} & set(file.parts)
    }
    assert held == {
        "README.md": b"# It\n",
        "docs/usage.md": b"# Usage\n\nRun it.\n",
        "package.json": b'{"name": "it"}',
        "run.bat": b"@echo off\r\nset NAME=new\r\nset MORE=1\r\necho %NAME%\r\necho %MORE%\r\n",
        "src/app.py": b'def main():\n    print("hi")\n',
        "src/util.py": b"def add(a: int, b: int) -> int:\n    # Whole numbers.\n    return a + b\n",
        "src/values.py": b"X = 1\n",
        "tests/test_new.py": b"from src.values import X\n\n\nassert X\n",
    }
    assert git(room.root, "log", "-1", "--format=%an %s") == 'Ann Add: numbers; "quoted" $HOME\n'
