"""The store of one machine: a file, and large images and files beside it."""
