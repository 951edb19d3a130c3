"""What a model is sent, so that it fits into its context."""
