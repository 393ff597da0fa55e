EXTRA_DIST += contrib/demo contrib/demo-side contrib/check contrib/build.sh
EXTRA_DIST += contrib/postfix/README
# Copied by the administrator or the package: where a unit belongs is not below the prefix.
EXTRA_DIST += contrib/systemd/posternd.service contrib/systemd/postern.sysusers \
	contrib/systemd/postern.tmpfiles contrib/systemd/postern-earlyndr.service \
	contrib/systemd/postern-rcptlimit.service contrib/systemd/postern-retrycap.service
# For one of several Postfix instances: made of the units, so that nobody keeps two of each.
unit_templates = contrib/systemd/posternd@.service contrib/systemd/postern-earlyndr@.service \
	contrib/systemd/postern-rcptlimit@.service contrib/systemd/postern-retrycap@.service
noinst_DATA = $(unit_templates)
EXTRA_DIST += $(unit_templates) contrib/systemd/template.sed
MAINTAINERCLEANFILES = $(unit_templates)
contrib/systemd/%@.service: contrib/systemd/%.service $(srcdir)/contrib/systemd/template.sed
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd && \
	    sed -f $(srcdir)/contrib/systemd/template.sed $< > $@.new && mv $@.new $@
EXTRA_DIST += contrib/grafana/postern.json
# Packages: contrib/debian becomes debian/ in an unpacked release.
EXTRA_DIST += contrib/debian/changelog contrib/debian/clean contrib/debian/control \
	contrib/debian/copyright contrib/debian/disconnect contrib/debian/postern-milters.install \
	contrib/debian/postern-milters.postinst contrib/debian/postern-milters.postrm \
	contrib/debian/postern-milters.prerm contrib/debian/postern.README.Debian \
	contrib/debian/postern.dirs contrib/debian/postern.docs contrib/debian/postern.install \
	contrib/debian/postern.postinst contrib/debian/postern.postrm contrib/debian/postern.prerm contrib/debian/rules \
	contrib/debian/source/format contrib/rpm/postern.spec
EXTRA_DIST += tests/packages/run tests/packages/tree.sh tests/packages/lib.sh \
	tests/packages/story tests/packages/story.rpm tests/packages/postern.files \
	tests/packages/postern-milters.files tests/packages/postern-selinux.files
EXTRA_DIST += tests/versions/run
EXTRA_DIST += tests/selinux/run tests/selinux/story
# The module for SELinux, built by the RPM package; contrib/check tries to compile it.
EXTRA_DIST += contrib/selinux/postern.fc contrib/selinux/postern.if contrib/selinux/postern.te

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
