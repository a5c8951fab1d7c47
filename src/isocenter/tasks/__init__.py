"""One folder = one question; one file = one method. The folder is the registry: see `isocenter.catalog`."""
