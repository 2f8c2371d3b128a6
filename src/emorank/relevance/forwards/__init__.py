"""What the forward of a net does, read as a graph of layers."""
