"""`openclaw setup`: what is decided, tried and written for somebody who has no configuration yet."""
