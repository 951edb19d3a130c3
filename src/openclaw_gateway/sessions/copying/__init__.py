"""All that one store holds, copied into another of another kind."""
