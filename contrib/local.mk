EXTRA_DIST += contrib/demo contrib/demo-side contrib/check contrib/build.sh
EXTRA_DIST += contrib/postfix/README
# Copied by the administrator or the package: where a unit belongs is not below the prefix.
EXTRA_DIST += contrib/systemd/posternd.service contrib/systemd/postern.sysusers \
	contrib/systemd/postern.tmpfiles contrib/systemd/postern-earlyndr.service \
	contrib/systemd/postern-rcptlimit.service contrib/systemd/postern-retrycap.service
