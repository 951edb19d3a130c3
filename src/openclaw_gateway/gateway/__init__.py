"""What all doors call: who is asking, which agent and session, and the runs themselves. No transport."""
