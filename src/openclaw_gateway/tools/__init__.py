"""What an agent may do: the tools, and the policy that decides which of them it has."""
