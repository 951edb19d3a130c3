"""The keys of OpenClaw and Clawdbot that this gateway knows of and does not serve (yet).

One table: for each struct of the schema the keys that may stand next to its fields. They are accepted
whatever they hold, and named once in one notice. No key is both here and a field. No behaviour; what is in
neither place is a mistake of the operator's, and reported as one.
"""

from msgspec import Struct

from openclaw_gateway.config.schema import (
    agents,
    context,
    gateway,
    mcp,
    models,
    root,
    sandbox,
    secrets,
    sessions,
    skills,
    tools,
)

# The program's own notes about the file: not worth a notice.
SILENT = frozenset({"$schema", "meta", "wizard"})

_AGENT = """
    agentRuntime blockStreamingDefault cliBackends contextLimits cwd
    elevatedDefault embeddedHarness embeddedPi experimental fastModeDefault groupChat heartbeat humanDelay
    imageModel mediaModels memorySearch modelPolicy promptOverlays reasoningDefault runRetries runtime
    silentReply skillsLimits startupContext subagents systemPromptOverride tts utilityModel
    verboseDefault
"""

# What so far only all agents together have.
_SHARED = " compaction contextPruning "

_ROOT = """
    $schema accessGroups acp agent approvals audio bindings broadcast browser canvasHost channels cli
    commands cron diagnostics discord discovery hooks identity imessage media memory messages meta
    msteams nodeHost plugins proxy routing security signal slack surfaces talk telegram
    telemetry transcripts tui ui update web whatsapp wizard
"""

_GATEWAY = """
    allowRealIpFallback channelHealthCheckMinutes channelMaxRestartsPerHour channelStaleEventThresholdMinutes
    cliAgents handshakeTimeoutMs nodes publicOrigin push remote roles tailscale terminal tls tools
    webchat
"""

_DEFAULTS = """
    blockStreamingBreak blockStreamingChunk blockStreamingCoalesce bootstrapPromptTruncationWarning
    agentDir envelopeElapsed envelopeTimestamp envelopeTimezone
    imageGenerationModel imageMaxDimensionPx imageQuality
    llm maxActiveTranscriptBytes mediaGenerationAutoProviderFallback mediaMaxMb modelSelectionScope
    musicGenerationModel pdfMaxBytesMb pdfMaxPages pdfModel repoRoot skipOptionalBootstrapFiles
    timeFormat toolProgressDetail typingIntervalSeconds typingMode videoGenerationModel
"""

_SESSION = """
    agentToAgent dmScope forkAfterTokens groupScope heartbeatIdleMinutes identityLinks mainKey
    notifyOnCreate parentForkMaxTokens resetByChannel resetByType resetTriggers scope sendPolicy sharing store
    threadBindings
    typingIntervalSeconds typingMode writeLock
"""

_TOOLS = """
    codeMode elevated experimental links loopDetection media message sessions_spawn swarm toolSearch
    toolsBySender
"""

_EXEC = """
    approvalRunningNoticeMs cleanupMs commandHighlighting host node notifyOnExit
    notifyOnExitEmptySuccess pathPrepend reviewer safeBinProfiles safeBinTrustedDirs safeBins strictInlineEval
"""

_TABLE: dict[type[Struct], str] = {
    root.Written: _ROOT,
    gateway.GatewayConfig: _GATEWAY,
    gateway.AuthConfig: "allowTailscale identityScopes",
    gateway.TrustedProxyConfig: "cloudflareAccessOidc deviceAutoApprove",
    gateway.HttpConfig: "securityHeaders",
    gateway.HttpEndpoints: "responses",
    gateway.ChatCompletionsEndpoint: "images maxBodyBytes maxImageParts maxTotalImageBytes",
    gateway.ControlUiConfig: """
            allowExternalEmbedUrls allowInsecureAuth basePath chatMessageMaxWidth
            dangerouslyAllowHostHeaderOriginFallback dangerouslyDisableDeviceAuth embedSandbox enabled root
        """,
    agents.AgentDefaults: _AGENT + _DEFAULTS,
    agents.AgentEntry: _AGENT + _SHARED,
    agents.KeyedAgentEntry: _AGENT + _SHARED,
    agents.ModelChoice: "timeoutMs",
    agents.ModelEntry: "agentRuntime streaming",
    context.Compaction: """
            customInstructions identifierInstructions identifierPolicy maxActiveTranscriptBytes
            maxHistoryShare memoryFlush midTurnPrecheck model notifyUser postCompactionSections provider
            qualityGuard recentTurnsPreserve thinkingLevel truncateAfterCompaction
        """,
    models.ModelsConfig: "bedrockDiscovery pricing",
    models.ProviderConfig: """
            agentRuntime auth contextTokens contextWindow injectNumCtxForOpenAICompat localService maxTokens
            region request
        """,
    models.ModelDefinition: """
            agentRuntime baseUrl contextTokens cost headers mediaInput metadataSource thinkingLevelMap
        """,
    secrets.SecretsConfig: "egressProxy resolution",
    secrets.SecretProvider: "pluginIntegration",
    secrets.StoredKeysConfig: "cooldowns",
    sessions.SessionConfig: _SESSION,
    sessions.MaintenanceConfig: """
            archiveDashboardAfter coldStorage highWaterBytes preserveRecent pruneDays resetArchiveRetention
            rotateBytes
        """,
    tools.ToolsConfig: _TOOLS,
    tools.AgentToolsConfig: _TOOLS,
    tools.ExecSettings: _EXEC,
    tools.ApplyPatchSettings: "allowModels workspaceOnly",
    tools.WebSettings: "search",
    tools.WebFetchSettings: "firecrawl provider readability ssrfPolicy useTrustedEnvProxy",
    sandbox.SandboxConfig: "backend browser docker perSession prune scope sessionToolsVisibility ssh",
    mcp.McpConfig: "sessionIdleTtlMs",
    skills.SkillsConfig: "install limits workshop",
    skills.SkillFolders: "watch watchDebounceMs allowSymlinkTargets",
    mcp.McpServer: "description",
    sessions.LoggingConfig: "audit maxFileBytes redactSensitive",
}
KNOWN: dict[type[Struct], frozenset[str]] = {
    struct: frozenset(keys.split()) for struct, keys in _TABLE.items()
}

# Mistakes people make often enough to be told exactly where the key belongs.
MOVED: dict[str, str] = {
    "gateway.token": "gateway.auth.token",
    "gateway.password": "gateway.auth.password",
    "gateway.host": "gateway.bind",
    "gateway.cors": "gateway.http.cors",
    "gateway.endpoints": "gateway.http.endpoints",
    "gateway.http.chatCompletions": "gateway.http.endpoints.chatCompletions",
    "providers": "models.providers",
    "limits": "gateway.limits",
    "port": "gateway.port",
    "agents.model": "agents.defaults.model",
    "agents.workspace": "agents.defaults.workspace",
}
