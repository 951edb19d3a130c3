"""What the file tools do: the work itself, texts and patches. Knows no tool."""
