"""The first files of a new workspace. Text only."""
