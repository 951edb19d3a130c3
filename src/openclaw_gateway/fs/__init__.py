"""Files in folders that somebody else may write to: containment, bounded reads, whole replacements."""
