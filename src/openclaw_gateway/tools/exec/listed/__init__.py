"""The starter list: commands that only look, how one is judged, and what is added so that it only looks."""
