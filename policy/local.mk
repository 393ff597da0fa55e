# The library: what the programs, the tests and the benchmarks link.
noinst_LIBRARIES += policy/libpostern.a
policy_libpostern_a_SOURCES = \
	policy/slice.h policy/clock.h \
	policy/log.c policy/log.h \
	policy/counters.c policy/counters.h policy/metrics.c policy/metrics.h \
	policy/metrics_http.c policy/metrics_http.h \
	policy/text.c policy/text.h \
	policy/config.c policy/config.h \
	policy/config_read.c policy/config_read.h \
	policy/config_rules.c \
	policy/config_scan.c policy/config_scan.h \
	policy/config_source.c policy/config_source.h \
	policy/config_syntax.c policy/config_syntax.h \
	policy/config_table.c policy/config_table.h \
	policy/maillog.c policy/maillog.h policy/maillog_parts.h \
	policy/maillog_time.c policy/maillog_delivery.c \
	policy/failure.c policy/failure.h \
	policy/logsource.c policy/logsource.h policy/logsource_ops.h \
	policy/logsource_file.c policy/logsource_journal.c \
	policy/logfile.c policy/logfile.h policy/logwatch.c policy/logwatch.h \
	policy/destination.c policy/destination.h \
	policy/recipient.c policy/recipient.h \
	policy/store.c policy/store.h \
	policy/record.c policy/record.h policy/record_early.c policy/record_parts.h \
	policy/bad.c policy/bad.h policy/early.c policy/early.h policy/origins.c policy/origins.h \
	policy/rules.c policy/rules.h \
	policy/doorway.c policy/doorway.h \
	policy/filter.c policy/filter.h \
	policy/classify.c policy/classify.h policy/classify_parts.h \
	policy/classify_limit.c policy/classify_pattern.c policy/classify_pattern.h \
	policy/classify_table.c policy/status_filter.c policy/status_filter.h \
	policy/lane.c policy/lane.h policy/probation.c policy/probation.h \
	policy/host.c policy/host.h policy/ledger_hosts.c \
	policy/lanecheck.c policy/lanecheck.h \
	policy/ledger.c policy/ledger.h policy/ledger_internal.h \
	policy/ledger_admin.c policy/ledger_bad.c policy/ledger_early.c policy/ledger_lanes.c \
	policy/ledger_delay.c policy/ledger_pools.c \
	policy/ledger_say.c policy/ledger_state.c policy/ledger_work.c \
	policy/route.c policy/route.h \
	policy/lock.c policy/lock.h \
	policy/options.c policy/options.h \
	policy/ask.c policy/ask.h policy/peer.c policy/peer.h \
	policy/table.c policy/table.h \
	policy/wake.c policy/wake.h \
	policy/child.c policy/child.h policy/child_runner.c \
	policy/child_spawn.c policy/child_spawn.h \
	policy/postfix.c policy/postfix.h policy/postfix_list.h policy/postfix_routing.c \
	policy/logtags.c policy/logtags.h policy/neighbours.c policy/neighbours.h \
	policy/gate.c policy/gate.h \
	policy/inbound.c policy/inbound.h \
	policy/network.c policy/network.h policy/networks.c policy/networks.h \
	policy/cfile.c policy/cfile.h policy/cflines.c policy/cflines.h \
	policy/queuedir.c policy/queuedir.h policy/inside.c policy/inside.h \
	policy/policyd.c policy/policyd.h policy/policyreq.c policy/policyreq.h \
	policy/instances.c policy/instances.h policy/listen.c policy/listen.h \
	policy/say.c policy/say.h \
	policy/address.c policy/address.h \
	policy/badreply.c policy/badreply.h policy/badreply_parts.h \
	policy/badreply_table.c policy/badreply_words.c \
	policy/guard.c policy/guard.h policy/xtext.c policy/xtext.h \
	policy/envelope.c policy/envelope.h policy/envelope_content.c policy/envelope_json.c \
	policy/dsn.c policy/dsn.h policy/dsn_parts.h policy/dsn_fields.c policy/dsn_line.c \
	policy/dsn_text.c \
	policy/bounce.c policy/bounce.h policy/bounce_lines.h
policy_libpostern_a_CFLAGS = $(AM_CFLAGS) $(LIBCONFIG_CFLAGS) $(LIBEVENT_CFLAGS) \
	$(JANSSON_CFLAGS) $(LIBIDN2_CFLAGS) $(LIBSYSTEMD_CFLAGS)

postern_libs = policy/libpostern.a $(LIBCONFIG_LIBS) $(LIBEVENT_LIBS) $(LIBEVENT_EXTRA_LIBS) \
	$(JANSSON_LIBS) $(LIBIDN2_LIBS) $(LIBSYSTEMD_LIBS)

sbin_PROGRAMS += policy/posternd policy/posternctl
policy_posternd_SOURCES = policy/posternd.c policy/daemon.c policy/daemon.h \
	policy/startcheck.c policy/startcheck.h \
	policy/daemon_internal.h policy/daemon_arrivals.c policy/daemon_claims.c \
	policy/daemon_config.c policy/daemon_instances.c policy/daemon_requests.c policy/daemon_wishes.c \
	policy/daemon_delay.c policy/daemon_early.c policy/daemon_early.h policy/daemon_report.c \
	policy/daemon_publish.c policy/daemon_metrics.c \
	policy/daemon_notify.c policy/reporter.c policy/reporter.h \
	policy/control.c policy/control.h
policy_posternd_CFLAGS = $(policy_libpostern_a_CFLAGS)
policy_posternd_LDADD = $(postern_libs)

# posternctl replay; apart from posternctl for the tests.
noinst_LIBRARIES += policy/libreplay.a
policy_libreplay_a_SOURCES = policy/replay.c policy/replay.h \
	policy/replay_files.c policy/replay_files.h policy/replay_files_parts.h \
	policy/replay_merge.c policy/replay_reader.c policy/replay_reader.h \
	policy/replay_years.c policy/replay_years.h \
	policy/replay_bad.c policy/replay_found.c policy/replay_found.h policy/replay_held.c \
	policy/replay_hosts.c policy/replay_html.c policy/replay_html.h policy/replay_incidents.c \
	policy/replay_json.c policy/replay_json.h policy/replay_limited.c \
	policy/replay_map.c policy/replay_map.h policy/replay_notes.c policy/replay_outage.c \
	policy/replay_parts.h policy/replay_report.c policy/replay_report.h \
	policy/replay_row_words.c policy/replay_rows.c policy/replay_rows.h policy/replay_servers.c \
	policy/replay_show.c policy/replay_study.c policy/replay_study.h policy/replay_svg.c \
	policy/replay_tally.c policy/replay_tally.h policy/replay_wait.c \
	policy/replay_words.c policy/replay_words.h
policy_libreplay_a_CFLAGS = $(policy_libpostern_a_CFLAGS) $(ZLIB_CFLAGS)
replay_libs = policy/libreplay.a $(ZLIB_LIBS) -lm

policy_posternctl_SOURCES = policy/posternctl.c policy/report.c policy/report.h \
	policy/report_parts.c policy/report_parts.h policy/report_early.c \
	policy/classify_command.c policy/classify_command.h \
	policy/show.c policy/show.h policy/show_detail.c policy/show_parts.h policy/show_table.c \
	policy/show_early.c policy/show_colour.c policy/show_colour.h \
	policy/doctor.c policy/doctor.h policy/doctor_parts.h policy/doctor_words.c \
	policy/doctor_words.h policy/doctor_door.c policy/doctor_instances.c policy/doctor_log.c \
	policy/doctor_log_lines.c policy/doctor_postfix.c policy/doctor_posternd.c \
	policy/doctor_selinux.c policy/doctor_show.c policy/doctor_socket.c policy/doctor_state.c \
	policy/selinux.c policy/selinux.h \
	policy/setup.c policy/setup.h policy/setup_plan.c policy/setup_plan.h \
	policy/setup_check.c policy/setup_lane.c policy/setup_milter.c policy/setup_other.c \
	policy/setup_posternd.c policy/setup_selinux.c policy/setup_state.c \
	policy/mainmaster.c policy/mainmaster.h policy/mainmaster_strip.c \
	policy/mainmaster_items.c policy/mainmaster_main.c policy/mainmaster_master.c \
	policy/mainmaster_lane.c policy/mainmaster_work.h policy/mainmaster_list.c \
	policy/mainmaster_expand.c policy/mainmaster_milter.c policy/mainmaster_milter.h \
	policy/mainmaster_probation.c policy/mainmaster_socket.c
policy_posternctl_CFLAGS = $(policy_libpostern_a_CFLAGS)
policy_posternctl_LDADD = $(replay_libs) $(postern_libs)

pkglibexec_PROGRAMS += policy/postern-gate
policy_postern_gate_SOURCES = policy/postern-gate.c
policy_postern_gate_CFLAGS = $(policy_libpostern_a_CFLAGS)
policy_postern_gate_LDADD = $(postern_libs)

dist_man_MANS += policy/postern.conf.5 policy/posternd.8 policy/posternctl.8 policy/postern-gate.8
dist_doc_DATA = policy/postern.conf.sample
