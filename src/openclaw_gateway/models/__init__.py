"""Models: which one a reference means, how to call it, and what its vendor's failures mean."""
