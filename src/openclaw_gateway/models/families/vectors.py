"""Models that make vectors: which is meant where none is named, and whose vectors may be cut. A table."""

# Of those who name none, in the order in which keys are preferred. Not all tried; taken from OpenClaw's own
# defaults (docs.openclaw.ai/reference/memory-config) and Cohere's page of its compatibility API.
VECTORS = {
    "openai": "text-embedding-3-small",
    "google": "gemini-embedding-001",
    "voyage": "voyage-4-large",
    "mistral": "mistral-embed",
    "deepinfra": "BAAI/bge-m3",
    "cohere": "embed-v4.0",
}
# Only where they are named: what runs on this machine may not have the model.
VECTORS_HERE = {
    "ollama": "nomic-embed-text",
    "lmstudio": "text-embedding-nomic-embed-text-v1.5",
}
# The beginning of a vector of theirs is one. Taken from the models' own cards; not all of it tried.
NESTED = (
    "text-embedding-3-",
    "gemini-embedding-",
    "embeddinggemma",
    "nomic-embed-text",
    "text-embedding-nomic-embed-text-v1.5",
    "qwen3-embedding",
    "mxbai-embed-large",
    "snowflake-arctic-embed",
    "embed-v4.0",
    "voyage-4",
    "voyage-3.5",
    "jina-embeddings-v3",
    "jina-embeddings-v4",
)
