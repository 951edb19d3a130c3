"""`openclaw chat`: a conversation in a terminal with an agent of the running gateway."""
