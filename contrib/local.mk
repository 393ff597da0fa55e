EXTRA_DIST += contrib/demo contrib/check
