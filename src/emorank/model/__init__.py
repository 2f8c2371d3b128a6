"""The network of the paper: VGG-16, its weights, its frozen features, its training."""
