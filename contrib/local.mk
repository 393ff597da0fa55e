EXTRA_DIST += contrib/demo contrib/demo-side contrib/check contrib/build.sh
EXTRA_DIST += contrib/postfix/README
# Copied by the administrator or the package: where a unit belongs is not below the prefix.
EXTRA_DIST += contrib/systemd/posternd.service contrib/systemd/postern.sysusers \
	contrib/systemd/postern.tmpfiles contrib/systemd/postern-earlyndr.service \
	contrib/systemd/postern-rcptlimit.service contrib/systemd/postern-retrycap.service
EXTRA_DIST += contrib/grafana/postern.json
# Packages: contrib/debian becomes debian/ in an unpacked release.
EXTRA_DIST += contrib/debian/changelog contrib/debian/clean contrib/debian/control \
	contrib/debian/copyright contrib/debian/disconnect contrib/debian/postern-milters.install \
	contrib/debian/postern-milters.prerm contrib/debian/postern.README.Debian \
	contrib/debian/postern.dirs contrib/debian/postern.docs contrib/debian/postern.install \
	contrib/debian/postern.postrm contrib/debian/postern.prerm contrib/debian/rules \
	contrib/debian/source/format contrib/rpm/postern.spec
EXTRA_DIST += tests/packages/run tests/packages/tree.sh tests/packages/story \
	tests/packages/postern.files tests/packages/postern-milters.files
EXTRA_DIST += tests/versions/run

# bash looks for the completion of a command in a file of its name.
bash_completion_names = posternd postern-earlyndr postern-rcptlimit postern-retrycap
EXTRA_DIST += contrib/bash-completion/postern
if BASH_COMPLETION
install-data-hook:
	$(MKDIR_P) "$(DESTDIR)$(bashcompletiondir)"
	$(INSTALL_DATA) $(srcdir)/contrib/bash-completion/postern \
	    "$(DESTDIR)$(bashcompletiondir)/posternctl"
	cd "$(DESTDIR)$(bashcompletiondir)" && for name in $(bash_completion_names); do \
	    $(LN_S) -f posternctl $$name || exit; done

uninstall-hook:
	cd "$(DESTDIR)$(bashcompletiondir)" && rm -f posternctl $(bash_completion_names)
endif
