"""The test kit: a real gateway on a free port, and a model server that plays scripts. Shipped, so that
users can test what they build on the gateway the same way."""
