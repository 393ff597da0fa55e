EXTRA_DIST += contrib/demo contrib/demo-side contrib/check contrib/build.sh
