EXTRA_DIST += contrib/demo contrib/demo-side contrib/check contrib/build.sh
EXTRA_DIST += contrib/postfix/README
