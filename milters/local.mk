# Nothing to build here yet: the milters come with the capabilities that need them.
