"""What is promised, row by row: to whom it may concern, in one sentence, with the id that a test carries.

A test says `@pytest.mark.promise("id")`; `tests/promised.py` sees that every row has a test and every id a
row. What README and the pages of docs/ say stands here word for word, so that an edited page and this table
cannot part. The other sources are the code's own tables: limits (config/schema), errors (errors.py and where
they are raised), and incidents (public records of this family of programs, by their identifiers).
"""

from typing import NamedTuple


class Promise(NamedTuple):
    """`source` is the file that makes it, or "incident"."""

    id: str
    source: str
    sentence: str


def _all(source: str, prefix: str, rows: dict[str, str]) -> tuple[Promise, ...]:
    return tuple(Promise(f"{prefix}{name}", source, sentence) for name, sentence in rows.items())


DOCUMENTS = _all(
    "README.md and docs",
    "",
    {
        # Try it
        "port-taken": "the port is taken it says by whom and which one is free: `make run PORT=18790`.",
        # What it promises
        "accepted-is-on-disk": "A run that was accepted is on disk (fsync) before anybody is told so;",
        "turn-before-end": "its turn is on disk before the answer ends.",
        "once-and-in-order": "Each run's turn is in the transcript once and whole, in order;",
        "failed-leaves-nothing": "a failed run leaves nothing,",
        "aborted-leaves-seen": "an aborted one the part that was seen.",
        "kill-9": "After `kill -9` nothing acknowledged is missing and nothing is half there.",
        "client-leaves": "An HTTP client that leaves ends its run, and the provider's connection is closed.",
        "ws-run-goes-on": "A run started over the WebSocket goes on without its client;",
        "chat-abort": "`chat.abort` ends it,",
        "agent-interrupted": "and `openclaw agent` says so when it is interrupted or its reader leaves.",
        "real-status": "a real status while no byte has left, then an error frame;",
        "error-keys": "always with `message`, `type`, `param` and `code`, always saying what to do;",
        "error-is-no-text": "never as text of the answer.",
        "usage": "Usage is what the provider reported.",
        "overload": "Too much load is refused at once with 429 or 503 and `Retry-After`.",
        # The first lines, and Try it
        "both-names": (
            "It reads the configuration of OpenClaw and of its ancestor Clawdbot, and answers to both names."
        ),
        "quickstart": (
            "It prints a curl line, a Python snippet and the address of the control page; "
            "paste them as they are."
        ),
        "home-untouched": "Your `~/.openclaw` and the keys in your environment are not touched.",
        "embedded": "it answers, but it is no agent.",
        # Connect
        "control-page": "sign in with the token, talk with your agents and see their tools at work,",
        "control-page-approvals": "allow what they ask for,",
        "control-page-strict": "It speaks this gateway's WebSocket alone and loads nothing from elsewhere;",
        "control-page-off": "`gateway.controlUi.enabled: false` takes it away",
        "agent-as-model": "the model is `openclaw` (the default agent) or `openclaw/<agent id>`.",
        "without-v1": "A base URL without `/v1` works too,",
        "other-key-headers": "and a key sent as `api-key` or `x-api-key`.",
        "sdk": 'client = OpenAI(base_url="http://127.0.0.1:18789/v1", api_key="YOUR_TOKEN")',
        "completions": "`POST /v1/completions`, the older API, is a chat of one message.",
        "responses": "`POST /v1/responses` is the same run in OpenAI's newer shape, streamed or not",
        "responses-kept": "A response is kept for thirty days unless `store` is false:",
        "kept-bytes": "Of all that is kept for clients, 4 GB stay: the oldest go first.",
        "tolerant": "`gateway.http.endpoints.chatCompletions.tolerant: true` a body in the words of the",
        "chats-kept": "With `store: true` a chat completion is kept for thirty days,",
        "background": "`background: true` it is answered at once and asked for until it is there,",
        "background-restart": "one that the gateway's end cut short has `failed`.",
        "responses-left-out": "Tools that only OpenAI has are left out and named in",
        "images-by-url": (
            "data URLs, or with `gateway.http.endpoints.{chatCompletions,responses}.images.allowUrl`"
        ),
        "files": "PDFs go as they are to models that take them, as their text to others;",
        "files-text": "files of text go as text.",
        "audio": "`input_audio` goes to models that hear.",
        "earlier-image": "An image in an earlier message is no obstacle for a model that cannot see:",
        "messages": "`POST /v1/messages` is the same run in Anthropic's shape, streamed or not",
        "messages-count": "`POST /v1/messages/count_tokens` estimates what a run would begin with,",
        "messages-models": "and `GET /v1/models` lists the agents in that shape to those who send",
        "messages-left-out": "What has no effect, and tools that only Anthropic has, are named in",
        "agents-api": "door by their keys, sends to them, hears and cancels turns, and lists turns and items",
        "model-header": "`x-openclaw-model` chooses a model for one request:",
        "tools-invoke": "calls one of the agent's tools without a",
        "tools-invoke-closed": "other agents to work is closed there;",
        "tools-invoke-dry": "With `dryRun` it only says whether the tool is there.",
        "housekeeping": "run on the model alone, without tools, session and workspace prompt,",
        "housekeeping-model": "on `agents.defaults.utilityModel` if there is one;",
        "housekeeping-off": "`gateway.http.endpoints.chatCompletions.housekeeping: false` gives them to the",
        "embeddings": "`POST /v1/embeddings` makes vectors, in floats or base64, by the model that",
        "embeddings-model": "A client may name that model and no other,",
        "embeddings-never-another": "and never gets another one's vectors instead.",
        "agents-are-listed": "the agents appear as models.",
        "terminal": '`openclaw agent -m "hi"` talks to the running gateway and streams;',
        "terminal-local": "`--local` runs the agent in the command's own process where no gateway runs;",
        "terminal-json": "`--json` is for scripts.",
        "terminal-words": "`openclaw agent hi` and `echo hi | openclaw agent`",
        "chat": "`openclaw chat` is a conversation in the terminal,",
        "acp": "and `openclaw acp` serves editors that speak the Agent Client Protocol",
        "terminal-meant": "A mistyped command is told what was meant, one that only OpenClaw has",
        "models-list": "`openclaw models list` has each model and who uses it, with `--all` what each",
        "models-test": "`openclaw models test` asks each one short question.",
        "setup": "`openclaw setup` finds the keys in the environment and the model servers on this machine,",
        "setup-offered": "`openclaw gateway run` without one offers `setup`.",
        "package-command": "once it is on an index, `uvx openclaw-gateway` does the same;",
        "dotenv-named": "where every terminal and service finds them; messages name it.",
        "log-rotation": "`maxFileBytes` (100 MB), beyond which it is put away as `<file>.1`, five of",
        "log-reopened": "a file that logrotate has moved is begun anew by itself.",
        "log-run-ended": "`run.ended` tells run, session, agent, door,",
        "backup": "`openclaw backup create` saves sessions, usage, approvals and configuration in one file",
        "store-copy": "what is cut off goes on where it was with the same command, `--anew` begins again.",
        "doctor": "`openclaw doctor` looks at all that can be wrong,",
        "logs": "`openclaw logs -f` follows",
        "audit": "`openclaw security audit` at what could be dangerous, each with the line that mends it.",
        "json-shape": "What it prints is one object, and its `ok` says whether that was done;",
        "no-color": "`--no-color` (or `NO_COLOR`) means no code of a terminal at all.",
        "service": "`openclaw gateway install` makes it a service of your own",
        "config-get-default": "`openclaw config get PATH` shows what is set, or the default in use.",
        "config-named": "A file named with `--config` has to be there.",
        "base-url-bare": "since nearly every server answers below `/v1`.",
        "repeats": "sent again, it gets the first answer, streamed or not,",
        "retries": (
            "Without one, what an official SDK sends again by itself (`x-stainless-retry-count`) gets the "
            "run of its first attempt, or its answer: for ten minutes, or ninety seconds where its client "
            "was there for it."
        ),
        "retries-waited-for": (
            "The run of such a client waits for it for three seconds when no answer has begun."
        ),
        "detached": (
            "With `x-openclaw-detach: true` a chat completion goes on without its client, and each event of "
            "its stream has an `id`."
        ),
        "detached-kept": "while it runs and for ten minutes after, then the whole answer only.",
        "queued-place": "A stream that waits says its place (`: queued 2`);",
        "queue-wish": (
            "with `x-openclaw-queue: reject` it is refused instead (429 `session_busy`), with `interrupt` "
            "it ends what the same user has its session at."
        ),
        "detached-by-key": (
            "`gateway.http.endpoints.chatCompletions.detach: true` makes that the rule; a header that says "
            "`false` counts more."
        ),
        "progress-by-key": (
            "`gateway.http.endpoints.chatCompletions.progress` is what counts without that header."
        ),
        "progress": (
            "A stream of chat completions names the agent's own tools as they begin and end when it is "
            "asked to:"
        ),
        "repeats-other": "The same key with another request is 422.",
        "repeats-failed": "may be tried again under its key.",
        "started-runs": "at most four deep; it shares the time and rounds of the first run and ends with it.",
        "sub-agents": (
            "its last answer is the result of the call, and its tokens count in a row of the ledger of its "
            "own, that names who asked."
        ),
        "stateless": "Without more, a request is *stateless*: nothing that is said is stored.",
        "user-is-session": "names a session that is remembered;",
        "session-header": "the answer's `x-openclaw-session-key` header says which.",
        "clients-ladder": "names the front ends whose own marks of a",
        "clients-people": "where the request names a user, so that two people's chats never meet.",
        "clients-passing": "front end calls `temporary:` or `local:` stay stateless.",
        "resent-history": "what the gateway already has is recognised and not doubled.",
        "edited-history": "An edited, deleted or regenerated message is not shown to the model again:",
        "branches-listed": "what it was stays listed as `<key>~fork:<number>`.",
        "truncated-history": "A history whose beginning is cut off is no edit.",
        "interleaved": "alone, another that goes on with its own history does not take away.",
        "file-once": "The text of a file that Open WebUI sends once is kept.",
        "one-run-per-session": "One session does one run at a time, in order of arrival;",
        "sessions-in-parallel": "different sessions run in parallel.",
        "client-tools": 'a call of one of your functions ends the answer with `finish_reason: "tool_calls"`,',
        "client-tools-go-on": "your results go on, with a session or without.",
        "own-tools-hidden": "The agent's own tools run inside the gateway and are not shown to the client;",
        "own-tools-ws": "over the WebSocket their events are.",
        "client-tool-wins": "takes the place of an agent's tool of the same name for that run,",
        "own-workspace-aside": "are set aside for that run, named in `x-openclaw-tools-set-aside`",
        "with-client-tools": '`"beside"` leaves them, `"instead"` sets them aside for any function.',
        "demanded-alone": "where `tool_choice` demands a call only your functions are offered.",
        "ws-own-runs": "Over the WebSocket a client hears the events of the runs it asked for.",
        "ws-subscribe-session": "it hears every run of that session,",
        "ws-subscribe-all": (
            "with `sessions.subscribe` all of its owner's, and `sessions.changed` when one starts or ends,"
        ),
        "ws-subscribe-any-door": "whichever door the run came by;",
        "ws-subscribe-late": "what is running is told from its beginning.",
        "ws-steer": "with steer a message reaches the run at work behind the",
        "ws-resume": "Who was cut off goes on behind the last event that it has:",
        "client-device": "own commands sign as a device where `--url` names the gateway",
        "ws-slow-reader": "Who reads slowly is told more at once, in fewer events.",
        "ws-slow-consumer": (
            "A client for which more than `gateway.limits.maxWsBufferedBytes` (25 MiB) waits is closed with "
            "code 1008, `slow consumer`."
        ),
        # What an agent may do
        "workspace-place": "`<state>/workspace-<id>` for any other.",
        "edit-next-run": "an edit takes effect on the next run.",
        "skills-allowlist": '`agents.list[].skills: ["name"]` leaves only these.',
        "nothing-outside": "and nothing outside the workspace.",
        "exec-starter-list": (
            "`exec` runs read-only commands from a starter list; every other command is refused,"
        ),
        "exec-remedy": "and the model is told what you can type to allow it:",
        "ask-operator": (
            "Where an operator is connected over the WebSocket (scope `operator.approvals`), "
            "he is asked first:"
        ),
        "ask-nobody": "nobody there, or no answer within two minutes, is a no.",
        "ask-exact": "A yes is for the command that was shown,",
        "ask-pending": "openclaw approvals pending --follow     # be there, and see what is asked",
        "approvals-remove": "# takes back an allow or a deny",
        "deny-wins": "`approvals deny` wins over what allows a program,",
        "deny-plain": "while anything is denied, commands must be plain:",
        "approvals-arguments": "openclaw approvals allow 'npm test'      # and what follows;",
        "allowed-git": 'commits in your name (`tools.exec.env.git: "isolated"`: in nobody\'s),',
        "pass-env": 'reach commands by name: `tools.exec.passEnv: ["GH_TOKEN"]`,',
        "approvals-follows": (
            "With `'npm test'` goes what follows it, but no option of npm, pnpm, yarn, bun, make, cargo "
            "or go that names a program or another place"
        ),
        "approvals-yes": "what that opens and wants `--yes`,",
        "no-allow-inherited": "An allow is for the program that it names:",
        "listed-programs": ("No file that somebody put into a folder decides what a listed program does."),
        "git-looks": (
            "`git` has to be 2.38 or newer, gets settings of the gateway's own, and does not look into a "
            "repository whose configuration may run programs; the refusal names those keys."
        ),
        "conversation-only": (
            "an agent that answers a `user` (or a stateless request) sees no other conversation than that "
            "one,"
        ),
        "visibility": "unless `tools.sessions.visibility` says so;",
        "operator-sees-all": "from the operator's own sessions it sees all.",
        "workspace-of-gateway": (
            "A workspace that holds the gateway's own files (your home directory, say) gets no command for "
            "the asking."
        ),
        "policy-takes-away": "each step only takes away, deny wins;",
        "fallback-tools": "an agent with fallback models has the tools that all of them are allowed)",
        "skill-folders": "are offered too and can be read;",
        "skill-entries": "`skills.entries.<name>` switches one off (`enabled`)",
        "skill-of-workspace": "One of the workspace is given them only if the agent's `skills` names it.",
        "steering": "prompt files, `skills/` and `MEMORY.md` are read-only for it,",
        "memory-audience": "`memory/` is a folder of that user's (or session's) own,",
        "memory-nobody": "a request that names neither keeps no notes.",
        "steering-all": "If all who have the token are you, open both:",
        "command-ends": "A command ends with all that it started,",
        "command-conversation": "one in the background with its conversation",
        "command-limits": "`tools.exec.limits` for a command and each program it starts:",
        "sandbox": '`agents.defaults.sandbox.mode: "all"` for bubblewrap.',
        "web-fetch-public": "fetches public addresses only.",
        "tools-fitted": (
            "What a tool takes is fitted to each model; one that cannot be fitted is left out alone (`agents "
            "show` and `status` name it)."
        ),
        "mcp-policy": "Their tools appear as `mcp__files__…`, under the same policy.",
        "show-prompt": "`openclaw agents show main --prompt` prints what an agent is told.",
        "embedded-bare": "The embedded model gets neither tools nor workspace:",
        "dialects": (
            "`api` of a provider is `openai-completions` (default), `openai-responses`, "
            "`anthropic-messages`, "
            "`google-generative-ai` or `ollama`."
        ),
        "conversation-across-vendors": (
            "A conversation goes on with every other model, whoever made the earlier answers."
        ),
        "fallbacks": "goes on to the next model where that helps, before anything was said.",
        "compaction": "Long conversations are summarised when they near the model's window;",
        "compaction-whole": "the transcript stays whole.",
        # Install for good
        "wheel": "# commands: openclaw and clawdbot",
        "endpoint-off": "// off by default",
        "validate-all": (
            "`openclaw config validate` names every fault at once, with file, line and the nearest known key,"
        ),
        "validate-notes": "and notes what may not be meant.",
        "validate-is-start": "What it passes a start accepts, and what a start refuses it names",
        "validate-flags": "it takes the same flags.",
        "unserved-sections": (
            "Sections for channels, plugins and the like are accepted and named once as not served."
        ),
        "older-shapes": "are read as what they are called today, in memory, and said;",
        "newer-keys": "what only a newer version knows is ignored and said.",
        "unknown-keys": "An unknown key in a section that is served is a fault,",
        "comment-keys": "unless it begins with `_` or `$comment`.",
        "config-set": (
            "`openclaw config set PATH VALUE` and `config unset PATH` edit the file and keep its comments."
        ),
        "config-set-checked": "What would make the configuration worse is not written;",
        "config-set-backup": "what the file held before stays beside it, as `.bak`.",
        "shell-env": "asks your login shell, once and with a deadline, for the keys that are missing.",
        "reload": (
            "An edit of the file, of what it includes, of the overlay or of `.env` is in force within a "
            "second,"
        ),
        "reload-cuts-nothing": "and cuts no stream and no run:",
        "reload-mcp": "MCP servers (only those that changed start anew),",
        "reload-secret": "(the old one is refused at the next request, its WebSockets are closed).",
        "reload-run-keeps": "A run keeps what it began with.",
        "reload-invalid": (
            "An edit with a fault changes nothing: the log and `openclaw status` say what is wrong,"
        ),
        "reload-restart": (
            "and what counts only after a restart (`gateway.port`, `gateway.bind`, `store.url`, "
            "`store.leaseSeconds`, `store.config`, `bus.url`, and `OPENCLAW_LOCAL_MODEL` in `.env`);"
        ),
        "reload-off": '`gateway.reload.mode: "off"` turns it off;',
        "reload-hup": (
            "`kill -HUP` has the files looked at in any case, unless the gateway runs under `nohup`, which "
            "keeps that signal from it."
        ),
        "reload-debounce": (
            "`gateway.reload.debounceMs` (100) is how long nothing may have changed before an edit counts."
        ),
        "known-by-name": "Sixty providers are known by name (`models/providers.py`):",
        "signed-in-to": "says what works instead.",
        "azure": "Azure OpenAI: `azure-openai` with `baseUrl:",
        "bedrock-vertex": "Bedrock and Vertex AI work through their OpenAI-compatible addresses:",
        "stored-keys": "Keys are taken from where OpenClaw keeps them",
        "stored-keys-kept": "its SQLite stores; never written to), in the order it uses them,",
        "sign-ins": "Sign-ins of accounts (OAuth) are not used.",
        "references": "as in OpenClaw; it is looked up when an agent that is served needs it,",
        "keys-again": "and again when the files change or at `kill -HUP`;",
        "left-out": "A part that cannot be served stops nothing else:",
        "left-out-told": "the start, `config validate` and `status` name them.",
        "nothing-left": "Only where nothing is left the start is refused.",
        "key-in-environment": "No model configured? A provider whose key is in the environment is used",
        "default-asked": "the start asks it once a day which models it has, and takes the first that fits.",
        "local-server-found": (
            "Without a key, a model server on this machine is found (Ollama, LM Studio, llama.cpp, vLLM),"
        ),
        "validate-asks-nobody": "`config validate` asks nobody.",
        "refused-left-out": (
            "What a model refuses (sampling, a forced call) is left out and named in "
            "`x-openclaw-ignored-params`;"
        ),
        "nearest-level": "become the nearest level it takes.",
        "ollama-context": (
            'With `api: "ollama"` a model is loaded with its `contextWindow` (16,384 tokens if not said)'
        ),
        "overlay": "or in `openclaw-gateway.json` beside it,",
        "secret-order": "flag, then configuration, then environment.",
        "secret-made-up": "Without any, the start makes one up and shows it.",
        "config-get-masks": "`openclaw config get` masks them.",
        "open-files": "A file or folder of the configuration that other users may read or change,",
        "open-workspace": "a workspace that is a home or holds `.ssh`,",
        "validate-fix": "`openclaw config validate --fix` makes the modes 0600 and 0700",
        "lock-out": "Ten wrong secrets from one address within a minute lock it out for five",
        "lock-out-right": "the right secret is let in all the same.",
        "lock-out-shared": "Processes that share a bus count together;",
        "lock-out-share": "while its server is away each locks out after its share of the tries.",
        "max-runs-shared": "Processes that share a bus have `gateway.limits.maxRuns` in common,",
        "max-runs-at-once": "and of many that come at once as many are taken as there are places;",
        "max-runs-queue": "what a front has taken waits for a place.",
        "max-runs-share": "While the bus is away each process takes its share.",
        "trusted-proxies": "wrong credentials then count for the address it forwards",
        "trusted-proxy-mode": "the proxy itself says who is let in,",
        "beyond-loopback": "the gateway refuses to start without a real secret.",
        "allowed-hosts": (
            "Names other than `localhost`, IP addresses, `*.ts.net` and Docker's host names go into "
            "`gateway.allowedHosts`."
        ),
        # Keys worth knowing
        "further-keys": "further keys, used when one is refused or at its limit.",
        "provider-patience": "how long that provider may be silent, before the first byte and after it,",
        "run-time": "`agents.defaults.timeoutSeconds` (600; 0: no end) bounds a run,",
        "tool-rounds": "`tools.maxToolRounds` (64) its rounds of tools.",
        "sandbox-access": (
            "with `none`, the default, the agent works in an empty folder of its own, "
            "`<state>/gateway/sandboxes/<id>`,"
        ),
        "sandbox-network": "`network` (`false`).",
        "exec-security": "`tools.exec.security` (`deny`, `allowlist`, `full`), `tools.exec.ask`",
        # Many machines
        "cluster-once": "**A run is executed at least once and recorded exactly once.**",
        "cluster-acted": "A run that has had side effects by then",
        "cluster-rounds": "what that client never saw of it is kept on the bus for ten minutes.",
        "retries-anywhere": "itself gets the run of its first attempt at any of them too,",
        "cluster-paused": "nothing until it goes on, then the answer of whoever has taken its runs over;",
        "cluster-comes-back": "may do so at any of them: its run does not end meanwhile.",
        "cluster-trying": "says what runs where, and ends all of it with Ctrl-C.",
        "cluster-backup": "All conversations with their images and files are in it,",
    },
)

# The number a sentence begins with is the default, in the unit of the key.
LIMITS = _all(
    "config/schema/limits.py",
    "limit.",
    {
        "maxBodyBytes": (
            "20971520: a larger body is refused with 413, before it is read where its length is told."
        ),
        "maxBodiesBytes": "268435456: a body that finds no room beside all others is refused with 503.",
        "maxJsonDepth": "64: a body nested deeper is refused with 400.",
        "maxHeaderBlockBytes": "32768: a larger block of headers is refused with 431.",
        "maxHeaderBytes": "16384: a longer header is refused with 431.",
        "maxUrlBytes": "16384: a longer address is refused with 414.",
        "headerTimeoutSeconds": "10: a head that has not ended by then is refused with 408 and closed.",
        "bodyMinBytesPerSecond": "1024: a slower body is refused with 408 and closed.",
        "bodyGraceSeconds": "10: for so long a body may be slower.",
        "keepAliveSeconds": "75: an idle connection is closed.",
        "streamKeepaliveSeconds": "10: a stream that says nothing sends a comment.",
        "maxConnections": "10000: further connections are refused with 503.",
        "maxConnectionsPerAddress": "200, loopback not counted: further connections are refused with 503.",
        "maxRuns": "2048: further runs are refused at once with 503 and Retry-After.",
        "startWithinSeconds": "5: what has waited longer to begin is refused with 503 and Retry-After.",
        "maxQueuedPerSession": "64: further runs of a session are refused with 429.",
        "upstreamConnectSeconds": "10: a provider that cannot be reached by then is a 504.",
        "upstreamFirstByteSeconds": "120: a provider that has not begun by then is a 504.",
        "upstreamSilenceSeconds": "120: a provider that falls silent for so long is a 504.",
        "maxUpstreamResponseBytes": "33554432: a longer answer of a provider is a 502.",
        "maxWsFrameBeforeConnectBytes": "65536: a larger frame before `connect` closes with 1009.",
        "maxWsFrameBytes": "26214400: a larger frame closes with 1009.",
        "maxWsBufferedBytes": "26214400: a client for which more waits is closed with 1008.",
        "wsMessagesPerSecond": "50: more messages than that, beyond the burst, close with 1008.",
        "wsBurst": "100: so many messages may come at once.",
        "readerStallSeconds": "30: a reader that takes nothing for so long is dropped.",
        "leaveSeconds": "2: one of several that leaves still takes requests, while /ready says no.",
        "drainSeconds": "30: what still runs then is aborted and told so.",
    },
)

# Limits that have no key in `gateway.limits`.
OTHER_LIMITS = _all(
    "ARCHITECTURE.md and config/schema",
    "limit.",
    {
        "content-encoding": "A compressed body is refused with 415, unread.",
        "timeoutSeconds": "600 (agents.defaults): a run that takes longer ends with 504.",
        "maxToolRounds": "64 (tools): more rounds of tools end the run.",
        "images": "8 images in a message, each of at most 10 MiB: more is refused with 400.",
        "files": "8 files in a message, each of at most 5 MiB (files.maxBytes): more is refused with 400.",
        "urls": "8 URLs fetched for a request (maxUrlParts): more in the newest message is refused with 400.",
        "embeddings": "2,048 inputs of a request for embeddings, as at OpenAI: more is refused with 400.",
        "model-name": "256 characters of a model's name: more is refused with 400.",
        "metadata": "16 pairs of metadata, of 64 and 512 characters: more is refused with 400.",
        "embeddings-at-once": "64 requests for embeddings at once: more is refused with 503.",
        "runs-of-a-request": "A run that starts runs: 4 deep, 32 in all.",
    },
)

# The HTTP status comes first; "start" stops a start, "terminal" and "client" are never sent by a gateway.
ERRORS = _all(
    "errors.py and where they are raised",
    "error.",
    {
        "config_invalid": "start: the configuration is wrong; every fault is named.",
        "startup_failed": "start: the machine is not as the gateway needs it.",
        "instance_lock_lost": "503: the state directory is another gateway's now, or gone.",
        "port_taken": "start: somebody else listens at the port.",
        "already_running": "start: another gateway has the state directory.",
        "restore_interrupted": "start: a backup was not put back to its end.",
        "internal_error": "500: a fault of the gateway's own, told without its cause.",
        "invalid_api_key": "401: no credential, or a wrong one.",
        "device_refused": "401: what a device has signed of its connect is not taken.",
        "device_not_found": "404: no device of this id is known.",
        "not_paired": "403: the operator has not approved the device; his request is named.",
        "pairing_request_not_found": "404: no device waits with this request.",
        "devices_unwritable": "503: the list of devices cannot be written.",
        "rate_limited": "429: too many wrong credentials from one address.",
        "missing_scope": "403: the credential may not do this.",
        "forbidden": "403: it is another owner's, or the operator's alone.",
        "approval_not_found": "404: no such question is open for this caller.",
        "approval_already_resolved": "400: somebody has answered the question otherwise.",
        "approval_decision_unavailable": "400: the question cannot be answered with that.",
        "origin_not_allowed": "403: a page of another site.",
        "host_not_allowed": "421: a host name that is not the gateway's.",
        "not_found": "404: there is no such path.",
        "endpoint_disabled": "404: the endpoint is off; the key that turns it on is named.",
        "model_not_allowed": "400: a header asks for a model that the configuration does not list.",
        "model_not_found": "400 or 404: no such model; what there is is named.",
        "agent_not_found": "400: no such agent; what there is is named.",
        "session_agent_mismatch": "400: the session key is another agent's.",
        "session_key_invalid": "400: a key that cannot be kept.",
        "session_key_reserved": "400: a key of a namespace that is not for clients.",
        "idempotency_key_in_use": "429: another process answers the request of this key.",
        "session_busy": "429: too many runs wait for the session.",
        "method_not_allowed": "405: the path takes another method.",
        "invalid_request": "400: a field is wrong; it is named.",
        "invalid_json": "400: the body is no JSON, or no object.",
        "json_too_deep": "400: the body is nested too deeply.",
        "invalid_body": "400: the body is not well-formed HTTP.",
        "invalid_header": "400: a header is no UTF-8, or says what it cannot say.",
        "invalid_http": "400: the head is not well-formed HTTP.",
        "invalid_params": "400: the parameters of a WebSocket method are wrong.",
        "invalid_upgrade": "400: an upgrade that is no WebSocket handshake.",
        "invalid_image": "400: an image part is wrong, or what it names cannot be had.",
        "too_many_images": "400: too many images in one message.",
        "too_many_urls": "400: more URLs in a message than are fetched for a request.",
        "invalid_file": "400: a file part is wrong, or what it holds or names cannot be read.",
        "unsupported_file": "400: a file of a type that is not taken; the type is named.",
        "too_many_files": "400: too many files in one message.",
        "invalid_audio": "400: an audio part is wrong.",
        "audio_unsupported": "400: the agent's model cannot hear.",
        "images_unsupported": "400: the agent's model cannot see.",
        "unsupported_content_part": "400: a part of a kind that is not taken.",
        "missing_user_message": "400: nothing is asked.",
        "missing_tool_results": "400: some calls of a message have no result.",
        "unknown_tool_call_id": "400: a result of a call that nobody made.",
        "tool_results_awaited": "400: a note in the middle of a call and its result.",
        "responses_body": "400: the body is one for /v1/responses.",
        "token_input_not_taken": "400: the embedding model takes texts, not numbers of tokens.",
        "embeddings_unavailable": "503: there is no model that makes vectors.",
        "chat_body": "400: the body is one for /v1/chat/completions.",
        "previous_response_not_found": "400: a response is not kept.",
        "item_not_found": "400: an item is named that is not kept.",
        "chat_completion_not_found": "404: there is no such chat completion, or it is not kept (any more).",
        "agent_session_not_found": "404: there is no such session.",
        "agent_session_exists": "400: there is a session of this key, with other settings.",
        "turn_not_found": "404: there is no such turn in the session, or it is not kept any more.",
        "not_served_here": "400: a part of the Agents API that this gateway does not have.",
        "response_not_found": "404: there is no such response, or it is not kept any more.",
        "idempotency_key_invalid": "400: a key that is too long, or no text.",
        "idempotency_key_reused": "422: the key was used for another request.",
        "duplicate_run": "inside: the store has the key already; its answer is given.",
        "request_timeout": "408: head or body came too slowly.",
        "body_too_large": "413: the body is larger than the limit.",
        "uri_too_long": "414: the address is longer than the limit.",
        "unsupported_encoding": "415: the body is compressed.",
        "unsupported_transfer": "501: the body is compressed on its way.",
        "unsupported_media_type": "415: without a credential the body must be application/json.",
        "headers_too_large": "431: a header, or all of them, are larger than the limit.",
        "completion_not_found": "404: no run of that id goes on without its client, or its answer is gone.",
        "events_gone": "410: what a reader had not yet taken of a run is no longer kept.",
        "run_aborted": "499: the run was ended from outside.",
        "no_worker": "503: fronts are there, and no process that executes.",
        "run_begun_anew": "503: who executed it has gone in the middle of it, another one does it anew.",
        "overloaded": "503: too many runs, connections, requests that begin, or bytes of bodies.",
        "draining": "503: the gateway shuts down.",
        "shutting_down": "503: no provider is called any more.",
        "agent_unavailable": "503: none of the agent's models can be had as they are configured.",
        "sandbox_unavailable": "503: the sandbox that the agent was promised cannot be had.",
        "store_unavailable": "503: the store cannot read or write now.",
        "store_busy": "503: too much waits for the store.",
        "store_corrupt": "503: the store's file is damaged.",
        "store_lost": "503: the store's files are gone, or were replaced.",
        "store_foreign": "503: the store's file is another program's.",
        "store_too_new": "503: the store's file is of a newer version.",
        "store_rejected": "503: a text that cannot be kept.",
        "copy_unfinished": "503: a store is still being copied into the database.",
        "store_in_use": "503: a store that is to be copied is at work.",
        "store_not_empty": "503: a store would be copied over another.",
        "copy_of_another": "503: what is there is a begun copy of another store.",
        "copy_differs": "503: what came is not what is at the other end.",
        "store_full": "507: the disk is full.",
        "fenced": "503: a newer holder has the session.",
        "document_changed": "503: the configuration that several share was changed meanwhile.",
        "run_id_taken": "503: the run id was used before.",
        "run_not_open": "503: the run does not wait for its session.",
        "run_heard": "503: the run at work answers this message.",
        "run_interrupted": "outcome: the gateway ended while the run went on.",
        "session_not_found": "503: no session of that name.",
        "summary_outdated": "503: a summary of what has changed meanwhile.",
        "tool_loop": "502: the model goes round in circles.",
        "too_many_tool_rounds": "502: more rounds of tools than allowed.",
        "run_too_deep": "502: conversations ask conversations too deep.",
        "too_many_runs": "502: one request has led to too many runs.",
        "session_waits": "502: a conversation that waits for this very one.",
        "tool_choice_unsatisfied": "502: the model did not make the call that was demanded.",
        "run_timeout": "504: the run took longer than allowed.",
        "provider_rejected_request": "400: the provider does not take the request.",
        "provider_auth_failed": "401: the provider does not take its key.",
        "provider_billing": "402: the provider wants money.",
        "provider_permission_denied": "403: the provider does not allow it.",
        "provider_model_not_found": "404: the provider has no such model.",
        "context_length_exceeded": "400: the conversation is longer than the model's window.",
        "provider_rate_limited": "429: the provider is asked too often.",
        "provider_error": "502: the provider failed.",
        "provider_unreachable": "502: the provider cannot be reached.",
        "provider_bad_response": "502: the provider's answer is none.",
        "provider_stream_cut": "502: the provider's answer broke off.",
        "provider_empty_answer": "502: the provider's answer has no word in it.",
        "provider_overloaded": "503: the provider has too much to do.",
        "provider_timeout": "504: the provider said nothing in time.",
        "unknown_method": "400: there is no such WebSocket method.",
        "PROTOCOL_MISMATCH": "400: client and gateway have no protocol version in common.",
        "gateway_unreachable": "client: nothing listens where the gateway should.",
        "connection_lost": "client: the connection ended in the middle.",
        "answer_timeout": "client: no answer came in time.",
        "answer_garbled": "client: an answer has another shape than the protocol gives it.",
        "too_much_said": "client: a run says more than is kept for a reader that is far behind.",
        "device_key_unusable": "client: the key of this machine's device cannot be read or made.",
        "remote_error": "client: the gateway said an error without a code.",
        "usage": "terminal: the command line is wrong.",
        "config_changed": "409: somebody else has written the configuration since the caller has seen it.",
        "agent_exists": "400: there is an agent of that id already.",
        "agent_id_invalid": "400: a name gives no id for an agent.",
        "agent_is_default": "400: the default agent is not taken away.",
        "agent_busy": "400: the files of an agent at work are not taken away.",
        "agent_file_unusable": "503: a file of an agent cannot be read or written.",
        "config_refused": "400: the configuration would be wrong, or is so already; nothing is written.",
        "config_elsewhere": "400: another file than the main one says what counts there.",
        "config_masked": "400: a mask stands for no value where none was shown.",
        "config_unwritable": "503: the configuration's file cannot be written; it is as it was.",
        "config_not_in_force": "503: what is written cannot be put in force.",
        "log_missing": "503: there is no log file, or it cannot be read.",
        "backup_failed": "terminal: a backup cannot be made.",
        "export_failed": "terminal: a conversation cannot be written down there.",
        "backup_unreadable": "terminal: what was to be restored is no whole backup.",
        "stop_timeout": "terminal: a gateway that was told to stop still has runs.",
        "service_unsupported": "terminal: nothing here runs services, or this program is in a cache.",
        "service_not_installed": "terminal: there is no service to be started or taken away.",
        "service_foreign": "terminal: the service's file is another program's.",
        "service_failed": "terminal: the manager of services refuses, or the service does not come up.",
        "service_environment": "terminal: a service would lack what only this terminal has.",
        "config_exists": "terminal: setup found a configuration, which stays as it is.",
        "config_missing": "terminal: gateway run found no configuration.",
        "setup_no_model": "terminal: setup found no model, and none was named.",
        "config_not_found": "terminal: --config names a file that is not there.",
        "config_path_not_found": "terminal: nothing is configured there.",
        "config_set_elsewhere": "terminal: another file than the main one says what counts there.",
        "approvals_broken": "503: the file of approvals cannot be read.",
        "approvals_unwritable": "503: the file of approvals cannot be written.",
        "approvals_changed": "400: the approvals have changed since they were read.",
        "approval_id_taken": "400: a question of this id is or was open.",
        "approvals_refused": "400: these approvals are not written; it says why.",
        "mcp_server_not_found": "terminal: no MCP server of this name is configured.",
        "mcp_package_missing": "terminal: the package for MCP servers is not installed.",
        "state_dir_missing": "terminal: quickstart was given no directory.",
        "state_dir_refused": "terminal: quickstart was given another program's directory.",
        "state_dir_unusable": "terminal: what was given for a directory is none, or cannot be made one.",
    },
)

# What went wrong in other programs of this family, and must hold here.
INCIDENTS = _all(
    "incident",
    "",
    {
        "CVE-2026-100559": "The words that are judged are the words that run, whatever breaks the line.",
        "CVE-2026-100560": "What is remembered is the pattern that was typed and shown, no more.",
        "CVE-2026-100561": "A program that runs another one never inherits an allow.",
        "CVE-2026-100570": (
            "The environment of a command is made anew, its arguments are judged, no login shell."
        ),
        "CVE-2026-100530": "An allow holds for its agent and for the file that it names.",
        "CVE-2026-100598": "A command that is allowed gets the environment that is made for it.",
        "CVE-2026-71963": "A repository in the workspace runs nothing of its own.",
        "CVE-2026-100584": "A program of the workspace does not pass for an allowed one.",
        "CVE-2026-100562": "Every method asks one authoriser; scopes can be given up and never gained.",
        "CVE-2026-62186": "No header chooses a model that the configuration does not list.",
        "CVE-2026-100534": "A run or session of another owner is not found.",
        "CVE-2026-100535": "Memory and conversations have an audience.",
        "CVE-2026-100543": "Nothing that is made from a secret leaves the process.",
        "CVE-2026-100528": "No field of a request chooses where it goes or with which key.",
        "CVE-2026-59261": "Only the .env of the state directory counts.",
        "CVE-2026-100533": "One folding rule for names; what it makes one is one, the rest stays apart.",
        "CVE-2026-100536": "No path, link or race leads a reader or writer out; file: is no address.",
        "CVE-2026-100542": "Whatever is unpacked has a bound.",
        "CVE-2026-100555": (
            "The address that was checked is the one that is dialled; redirects are checked again."
        ),
        "CVE-2026-100556": "A deleted or reset session keeps nothing.",
        "CVE-2026-100557": "The policy is asked at the call, whatever offered the tool.",
        "CVE-2026-100579": "Who asks comes from the run, never from the arguments of a call.",
        "CVE-2026-100558": "Handshakes have a deadline and count as connections.",
        "CVE-2026-100572": "The limiter's memory is bounded.",
        "CVE-2026-89032": "Keys of what is kept for repeats hold the owner.",
        "CVE-2026-104873": "A rule of tools that matches nothing is named before the start.",
        "CVE-2026-42208": "A credential and a session key are text, never SQL.",
        "CVE-2026-37004": "Nothing that a request or a file sends is a template.",
    },
)

# Incidents of things that do not exist here yet, by what they are of.
NOT_YET = {
    "CVE-2026-100578": "methods that change settings",
    "CVE-2026-100525": "metrics",
    "CVE-2026-100563": "exports",
    "CVE-2026-100596": "methods that change MCP servers",
    "CVE-2026-102807": "methods that change MCP servers",
    "CVE-2026-88000": "forks of a conversation that a client can ask for",
    "CVE-2026-87995": "a page that shows what others wrote",
    "CVE-2026-55235": "webhooks",
}

PROMISES = (*DOCUMENTS, *LIMITS, *OTHER_LIMITS, *ERRORS, *INCIDENTS)
