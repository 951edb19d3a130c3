"""What other processes of the same gateway have to do with runs."""
