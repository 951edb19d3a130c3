"""Who answers: the roster of agents and what each is told before the conversation begins."""
