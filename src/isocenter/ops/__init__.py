"""Arrays in, arrays out: numpy, scipy and numba. Nothing here knows an Image."""
