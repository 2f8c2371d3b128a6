"""The window: a face in the browser, from a picture or from the camera."""
