"""Whether the tools that a request brings work on files or run commands where its client is.

Pure. Known by the names that coding clients give them (opencode, Codex, Claude Code, Cline, Roo, Continue,
Zed, Copilot, Cursor, qwen-code, pi and their like, as of November 2026), never by a description.
"""

import re
from collections.abc import Iterable

from openclaw_gateway.tools.policy.groups import GROUPS
from openclaw_gateway.tools.policy.matching import normal_name

_COMMANDS = """
    bash exec_command execute_command local_shell run_command run_in_terminal run_shell_command
    run_terminal_cmd run_terminal_command shell shell_command terminal write_stdin
"""
_FILES = """
    codebase_search create_directory create_file create_new_file delete_file edit_existing_file
    edit_file file_search find_path glob glob_search grep_search insert_content
    insert_edit_into_file list_dir list_directory list_files list_files_in_directory move_file
    multi_edit multiedit notebookedit patch read_currently_open_file read_file read_files
    read_many_files replace replace_in_file replace_string_in_file search_and_replace
    search_file_content search_files single_find_and_replace str_replace_based_edit_tool
    str_replace_editor view_file write_file write_to_file
"""
WORKSPACE_TOOLS = frozenset(
    {*GROUPS["group:fs"], *GROUPS["group:runtime"], *_COMMANDS.split(), *_FILES.split()}
)
# Ours that do the same here.
OWN_WORKSPACE_TOOLS = frozenset({*GROUPS["group:fs"], *GROUPS["group:runtime"]})
# What clients write before the name: Continue, and whoever passes on the tools of an MCP server.
_BEFORE = re.compile(r"^(?:builtin_|mcp__.*__)")


def brings_workspace(names: Iterable[str]) -> bool:
    """Whether any of these tools reads, writes or runs something in a workspace of the client's."""
    return any(
        normal_name(_BEFORE.sub("", name.lower()).replace("-", "_")) in WORKSPACE_TOOLS for name in names
    )
