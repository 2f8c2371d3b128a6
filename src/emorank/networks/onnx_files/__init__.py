"""ONNX files: read, checked, and made into a torch module whose layers relevance goes through.

`read_onnx` is all that the rest of the program needs. A file is read as a computation of one image
(its batch set to 1, shapes and constants computed), and the module does it for each image of a
batch, so that a file exported for one image explains many.
"""

from emorank.networks.onnx_files.as_module import read_onnx

__all__ = ["read_onnx"]
