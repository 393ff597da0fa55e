# The milters: what they share, and a folder for each.
man_MANS =
if MILTERS
noinst_LIBRARIES += milters/libmilters.a
milters_libmilters_a_SOURCES = \
	milters/common/confref.c milters/common/confref.h \
	milters/common/connection.c milters/common/connection.h \
	milters/common/local.c milters/common/local.h \
	milters/common/milter.c milters/common/milter.h \
	milters/common/outbox.c milters/common/outbox.h \
	milters/common/place.c milters/common/place.h \
	milters/common/state.c milters/common/state.h \
	milters/earlyndr/door.c milters/earlyndr/door.h \
	milters/earlyndr/earlyndr.c milters/earlyndr/earlyndr.h \
	milters/earlyndr/report.c milters/earlyndr/parts.h \
	milters/rcptlimit/rcptlimit.c milters/rcptlimit/rcptlimit.h \
	milters/retrycap/retrycap.c milters/retrycap/retrycap.h
milters_libmilters_a_CPPFLAGS = $(milters_cppflags)
milters_libmilters_a_CFLAGS = $(milters_cflags)

milters_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/milters/common
milters_cflags = $(AM_CFLAGS) $(JANSSON_CFLAGS) -pthread
milters_libs = milters/libmilters.a $(postern_libs) $(MILTER_LIBS) -lpthread

sbin_PROGRAMS += milters/postern-rcptlimit
milters_postern_rcptlimit_SOURCES = milters/rcptlimit/postern-rcptlimit.c
milters_postern_rcptlimit_CPPFLAGS = $(milters_cppflags)
milters_postern_rcptlimit_CFLAGS = $(milters_cflags)
milters_postern_rcptlimit_LDADD = $(milters_libs)
man_MANS += milters/rcptlimit/postern-rcptlimit.8

sbin_PROGRAMS += milters/postern-earlyndr
milters_postern_earlyndr_SOURCES = milters/earlyndr/postern-earlyndr.c
milters_postern_earlyndr_CPPFLAGS = $(milters_cppflags)
milters_postern_earlyndr_CFLAGS = $(milters_cflags)
milters_postern_earlyndr_LDADD = $(milters_libs)
man_MANS += milters/earlyndr/postern-earlyndr.8

sbin_PROGRAMS += milters/postern-retrycap
milters_postern_retrycap_SOURCES = milters/retrycap/postern-retrycap.c
milters_postern_retrycap_CPPFLAGS = $(milters_cppflags)
milters_postern_retrycap_CFLAGS = $(milters_cflags)
milters_postern_retrycap_LDADD = $(milters_libs)
man_MANS += milters/retrycap/postern-retrycap.8
endif
EXTRA_DIST += milters/earlyndr/postern-earlyndr.8
EXTRA_DIST += milters/rcptlimit/postern-rcptlimit.8
EXTRA_DIST += milters/retrycap/postern-retrycap.8
EXTRA_DIST += milters/README
