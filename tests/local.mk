# Unit tests: cmocka, one program for each module, all in TESTS.
unit_tests = \
	tests/unit/test_log \
	tests/unit/test_config \
	tests/unit/test_classify \
	tests/unit/test_maillog \
	tests/unit/test_logtags \
	tests/unit/test_failure \
	tests/unit/test_logsource \
	tests/unit/test_child \
	tests/unit/test_destination \
	tests/unit/test_store \
	tests/unit/test_record \
	tests/unit/test_route \
	tests/unit/test_gate \
	tests/unit/test_say \
	tests/unit/test_report \
	tests/unit/test_replay \
	tests/unit/test_replay_files \
	tests/unit/test_ledger \
	tests/unit/test_filter \
	tests/unit/test_inbound \
	tests/unit/test_inside \
	tests/unit/test_doorway \
	tests/unit/test_policyd \
	tests/unit/test_policyreq \
	tests/unit/test_lane \
	tests/unit/test_mainmaster \
	tests/unit/test_postfix_routing \
	tests/unit/test_address \
	tests/unit/test_host \
	tests/unit/test_probation \
	tests/unit/test_badreply \
	tests/unit/test_guard \
	tests/unit/test_envelope \
	tests/unit/test_dsn \
	tests/unit/test_bounce \
	tests/unit/test_origins \
	tests/unit/test_networks \
	tests/unit/test_bad \
	tests/unit/test_metrics \
	tests/unit/test_doctor \
	tests/unit/test_selinux \
	tests/unit/test_early

if MILTERS
unit_tests += tests/unit/test_rcptlimit tests/unit/test_retrycap \
	tests/unit/test_earlyndr_door tests/unit/test_earlyndr_drop \
	tests/unit/test_earlyndr_outbox tests/unit/test_earlyndr_bounce
endif

if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

unit_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(LIBEVENT_CFLAGS)
unit_libs = $(postern_libs) $(CMOCKA_LIBS)

tests_unit_test_log_CFLAGS = $(unit_cflags) -pthread
tests_unit_test_log_LDADD = $(unit_libs) -lpthread
tests_unit_test_config_CFLAGS = $(unit_cflags)
tests_unit_test_config_LDADD = $(unit_libs)
tests_unit_test_classify_SOURCES = tests/unit/test_classify.c tests/unit/table_eval.c \
	tests/unit/table_eval.h
tests_unit_test_classify_CFLAGS = $(unit_cflags)
tests_unit_test_classify_LDADD = $(unit_libs)
EXTRA_DIST += tests/data/too-many-recipients.tsv
tests_unit_test_maillog_CFLAGS = $(unit_cflags)
tests_unit_test_maillog_LDADD = $(unit_libs)
tests_unit_test_logtags_CFLAGS = $(unit_cflags)
tests_unit_test_logtags_LDADD = $(unit_libs)
tests_unit_test_failure_CFLAGS = $(unit_cflags)
tests_unit_test_failure_LDADD = $(unit_libs)
tests_unit_test_logsource_CFLAGS = $(unit_cflags)
tests_unit_test_logsource_LDADD = $(unit_libs)
tests_unit_test_destination_CFLAGS = $(unit_cflags)
tests_unit_test_destination_LDADD = $(unit_libs)
tests_unit_test_lane_CFLAGS = $(unit_cflags)
tests_unit_test_lane_LDADD = $(unit_libs)
tests_unit_test_filter_CFLAGS = $(unit_cflags)
tests_unit_test_filter_LDADD = $(unit_libs)
tests_unit_test_inbound_SOURCES = tests/unit/test_inbound.c tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_inbound_CFLAGS = $(unit_cflags)
tests_unit_test_inbound_LDADD = $(unit_libs)
tests_unit_test_inside_CFLAGS = $(unit_cflags)
tests_unit_test_inside_LDADD = $(unit_libs)
tests_unit_test_store_CFLAGS = $(unit_cflags)
tests_unit_test_store_LDADD = $(unit_libs)
tests_unit_test_store_LDFLAGS = -Wl,--wrap=mdb_env_set_mapsize
tests_unit_test_record_SOURCES = tests/unit/test_record.c tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_record_CFLAGS = $(unit_cflags)
tests_unit_test_record_LDADD = $(unit_libs)
tests_unit_test_route_SOURCES = tests/unit/test_route.c tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_route_CFLAGS = $(unit_cflags)
tests_unit_test_route_LDADD = $(unit_libs)
tests_unit_test_gate_CFLAGS = $(unit_cflags)
tests_unit_test_gate_LDADD = $(unit_libs)
tests_unit_test_say_CFLAGS = $(unit_cflags)
tests_unit_test_say_LDADD = $(unit_libs)
tests_unit_test_report_SOURCES = tests/unit/test_report.c policy/report.c policy/report_parts.c \
	policy/report_early.c policy/show.c policy/show_detail.c policy/show_early.c \
	policy/show_table.c policy/show_colour.c
tests_unit_test_report_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS)
tests_unit_test_report_LDADD = $(unit_libs)
tests_unit_test_replay_SOURCES = tests/unit/test_replay.c policy/show.c policy/show_detail.c \
	policy/show_early.c policy/show_table.c policy/show_colour.c
tests_unit_test_replay_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS) $(ZLIB_CFLAGS)
tests_unit_test_replay_LDADD = $(replay_libs) $(unit_libs)
tests_unit_test_replay_files_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS) $(ZLIB_CFLAGS)
tests_unit_test_replay_files_LDADD = $(replay_libs) $(unit_libs)
tests_unit_test_ledger_CFLAGS = $(unit_cflags)
tests_unit_test_ledger_LDADD = $(unit_libs)
tests_unit_test_ledger_LDFLAGS = -Wl,--wrap=mdb_env_open,--wrap=mdb_get,--wrap=mdb_put \
	-Wl,--wrap=mdb_del,--wrap=mdb_cursor_get
tests_unit_test_doorway_SOURCES = tests/unit/test_doorway.c tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_doorway_CFLAGS = $(unit_cflags)
tests_unit_test_doorway_LDADD = $(unit_libs)
tests_unit_test_policyd_CFLAGS = $(unit_cflags)
tests_unit_test_policyd_LDADD = $(unit_libs)
tests_unit_test_policyreq_SOURCES = tests/unit/test_policyreq.c tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_policyreq_CFLAGS = $(unit_cflags)
tests_unit_test_policyreq_LDADD = $(unit_libs)
# With the callbacks, but a fake in libmilter's place.
tests_unit_test_rcptlimit_SOURCES = tests/unit/test_rcptlimit.c \
	tests/unit/fake_milter.c tests/unit/fake_milter.h tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_rcptlimit_CPPFLAGS = $(milters_cppflags) -I$(top_srcdir)/milters/rcptlimit
tests_unit_test_rcptlimit_CFLAGS = $(unit_cflags) -pthread
tests_unit_test_rcptlimit_LDADD = milters/libmilters.a $(unit_libs) -lpthread
earlyndr_peers = tests/unit/earlyndr_peers.c tests/unit/earlyndr_peers.h \
	tests/unit/fake_milter.c tests/unit/fake_milter.h tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_earlyndr_door_SOURCES = tests/unit/test_earlyndr_door.c $(earlyndr_peers)
tests_unit_test_earlyndr_door_CPPFLAGS = $(milters_cppflags) -I$(top_srcdir)/milters/earlyndr
tests_unit_test_earlyndr_door_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS) -pthread
tests_unit_test_earlyndr_door_LDADD = milters/libmilters.a $(unit_libs) -lpthread
tests_unit_test_earlyndr_door_LDFLAGS = -Wl,--wrap=ask_json,--wrap=ask_posternd
tests_unit_test_earlyndr_drop_SOURCES = tests/unit/test_earlyndr_drop.c $(earlyndr_peers)
tests_unit_test_earlyndr_drop_CPPFLAGS = $(milters_cppflags) -I$(top_srcdir)/milters/earlyndr
tests_unit_test_earlyndr_drop_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS) -pthread
tests_unit_test_earlyndr_drop_LDADD = milters/libmilters.a $(unit_libs) -lpthread
tests_unit_test_earlyndr_drop_LDFLAGS = -Wl,--wrap=ask_json,--wrap=ask_posternd
tests_unit_test_earlyndr_outbox_SOURCES = tests/unit/test_earlyndr_outbox.c $(earlyndr_peers)
tests_unit_test_earlyndr_outbox_CPPFLAGS = $(milters_cppflags) -I$(top_srcdir)/milters/earlyndr
tests_unit_test_earlyndr_outbox_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS) -pthread
tests_unit_test_earlyndr_outbox_LDADD = milters/libmilters.a $(unit_libs) -lpthread
tests_unit_test_earlyndr_outbox_LDFLAGS = -Wl,--wrap=ask_json,--wrap=ask_posternd
tests_unit_test_earlyndr_bounce_SOURCES = tests/unit/test_earlyndr_bounce.c $(earlyndr_peers)
tests_unit_test_earlyndr_bounce_CPPFLAGS = $(milters_cppflags) -I$(top_srcdir)/milters/earlyndr
tests_unit_test_earlyndr_bounce_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS) -pthread
tests_unit_test_earlyndr_bounce_LDADD = milters/libmilters.a $(unit_libs) -lpthread
tests_unit_test_earlyndr_bounce_LDFLAGS = -Wl,--wrap=ask_json,--wrap=ask_posternd
tests_unit_test_retrycap_SOURCES = tests/unit/test_retrycap.c \
	tests/unit/fake_milter.c tests/unit/fake_milter.h tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_retrycap_CPPFLAGS = $(milters_cppflags) -I$(top_srcdir)/milters/retrycap
tests_unit_test_retrycap_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS) -pthread
tests_unit_test_retrycap_LDADD = milters/libmilters.a $(unit_libs) -lpthread
tests_unit_test_retrycap_LDFLAGS = -Wl,--wrap=ask_json,--wrap=log_info
tests_unit_test_child_CFLAGS = $(unit_cflags)
tests_unit_test_child_LDADD = $(unit_libs)
tests_unit_test_mainmaster_SOURCES = tests/unit/test_mainmaster.c policy/mainmaster.c \
	policy/mainmaster_strip.c policy/mainmaster_items.c policy/mainmaster_main.c \
	policy/mainmaster_master.c policy/mainmaster_lane.c policy/mainmaster_list.c \
	policy/mainmaster_expand.c policy/mainmaster_milter.c policy/mainmaster_probation.c \
	policy/mainmaster_socket.c
tests_unit_test_mainmaster_CFLAGS = $(unit_cflags)
tests_unit_test_mainmaster_LDADD = $(unit_libs)
tests_unit_test_postfix_routing_SOURCES = tests/unit/test_postfix_routing.c \
	policy/postfix_routing.c
tests_unit_test_postfix_routing_CFLAGS = $(unit_cflags)
tests_unit_test_postfix_routing_LDADD = $(CMOCKA_LIBS)
tests_unit_test_host_CFLAGS = $(unit_cflags)
tests_unit_test_host_LDADD = $(unit_libs)
tests_unit_test_probation_CFLAGS = $(unit_cflags)
tests_unit_test_probation_LDADD = $(unit_libs)
tests_unit_test_address_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS)
tests_unit_test_address_LDADD = $(unit_libs)
tests_unit_test_badreply_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS)
tests_unit_test_badreply_LDADD = $(unit_libs)
tests_unit_test_guard_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS)
tests_unit_test_guard_LDADD = $(unit_libs)
tests_unit_test_envelope_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS)
tests_unit_test_envelope_LDADD = $(unit_libs)
tests_unit_test_dsn_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS)
tests_unit_test_dsn_LDADD = $(unit_libs)
tests_unit_test_bounce_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS)
tests_unit_test_bounce_LDADD = $(unit_libs)
tests_unit_test_origins_CFLAGS = $(unit_cflags)
tests_unit_test_origins_LDADD = $(unit_libs)
tests_unit_test_networks_CFLAGS = $(unit_cflags)
tests_unit_test_networks_LDADD = $(unit_libs)
tests_unit_test_bad_CFLAGS = $(unit_cflags)
tests_unit_test_bad_LDADD = $(unit_libs)
tests_unit_test_doctor_SOURCES = tests/unit/test_doctor.c policy/doctor_words.c
tests_unit_test_doctor_CFLAGS = $(unit_cflags)
tests_unit_test_doctor_LDADD = $(unit_libs)
tests_unit_test_selinux_SOURCES = tests/unit/test_selinux.c policy/selinux.c
tests_unit_test_selinux_CFLAGS = $(unit_cflags)
tests_unit_test_selinux_LDADD = $(CMOCKA_LIBS)
tests_unit_test_metrics_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS)
tests_unit_test_metrics_LDADD = $(unit_libs)
tests_unit_test_early_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS)
tests_unit_test_early_LDADD = $(unit_libs)
EXTRA_DIST += tests/data/bad-recipients.tsv tests/unit/check_dsn.py

# The completion of contrib/bash-completion.
TESTS += tests/completion.test
EXTRA_DIST += tests/completion.test

# The units of contrib/systemd for one of several Postfix instances.
TESTS += tests/units.test
EXTRA_DIST += tests/units.test

# Scenarios: text files with log lines, passing time and what should be done.
check_PROGRAMS += tests/scenarios/scenario
tests_scenarios_scenario_SOURCES = tests/scenarios/scenario.c
tests_scenarios_scenario_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_scenarios_scenario_LDADD = $(postern_libs)
TESTS += tests/scenarios/run.test
EXTRA_DIST += tests/scenarios/run.test \
	tests/scenarios/bad.scn \
	tests/scenarios/bad_guard.scn \
	tests/scenarios/cap.scn \
	tests/scenarios/caps.scn \
	tests/scenarios/comes_back.scn \
	tests/scenarios/delay.scn \
	tests/scenarios/early.scn \
	tests/scenarios/early_not.scn \
	tests/scenarios/groups.scn \
	tests/scenarios/lanes.scn \
	tests/scenarios/lanes_apart.scn \
	tests/scenarios/lanes_elsewhere.scn \
	tests/scenarios/lanes_late.scn \
	tests/scenarios/lanes_none.scn \
	tests/scenarios/lanes_proven.scn \
	tests/scenarios/lanes_suspect.scn \
	tests/scenarios/one_host.scn \
	tests/scenarios/observe.scn \
	tests/scenarios/probes.scn \
	tests/scenarios/recipients.scn \
	tests/scenarios/restart.scn \
	tests/scenarios/strangers.scn \
	tests/scenarios/suspended.scn \
	tests/scenarios/transfer.scn \
	tests/scenarios/turned_away.scn \
	tests/scenarios/unproven.scn

# A week's log with outages put in, and whether posternctl replay finds them.
check_PROGRAMS += tests/replay/week tests/replay/check
tests_replay_week_SOURCES = tests/replay/week.c
tests_replay_week_CFLAGS = $(AM_CFLAGS)
tests_replay_check_SOURCES = tests/replay/check.c
tests_replay_check_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_replay_check_LDADD = $(JANSSON_LIBS)
TESTS += tests/replay/replay.test
EXTRA_DIST += tests/replay/replay.test tests/replay/bench.sh

# Fuzz targets: LLVMFuzzerTestOneInput; `make check` replays their seeds through tests/fuzz/replay.c.
check_PROGRAMS += tests/fuzz/fuzz_maillog
tests_fuzz_fuzz_maillog_SOURCES = tests/fuzz/fuzz_maillog.c tests/fuzz/check.h tests/fuzz/replay.c
tests_fuzz_fuzz_maillog_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_maillog_LDADD = $(postern_libs)
TESTS += tests/fuzz/fuzz_maillog.test
EXTRA_DIST += tests/fuzz/fuzz_maillog.test tests/fuzz/maillog-seeds

check_PROGRAMS += tests/fuzz/fuzz_classify
tests_fuzz_fuzz_classify_SOURCES = tests/fuzz/fuzz_classify.c tests/fuzz/check.h tests/fuzz/replay.c
tests_fuzz_fuzz_classify_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_classify_LDADD = $(postern_libs)
TESTS += tests/fuzz/fuzz_classify.test
EXTRA_DIST += tests/fuzz/fuzz_classify.test tests/fuzz/classify-seeds

check_PROGRAMS += tests/fuzz/fuzz_policyreq
tests_fuzz_fuzz_policyreq_SOURCES = tests/fuzz/fuzz_policyreq.c tests/fuzz/check.h tests/fuzz/replay.c
tests_fuzz_fuzz_policyreq_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_policyreq_LDADD = $(postern_libs)
TESTS += tests/fuzz/fuzz_policyreq.test
EXTRA_DIST += tests/fuzz/fuzz_policyreq.test tests/fuzz/policyreq-seeds

check_PROGRAMS += tests/fuzz/fuzz_bounce
tests_fuzz_fuzz_bounce_SOURCES = tests/fuzz/fuzz_bounce.c tests/fuzz/check.h tests/fuzz/replay.c
tests_fuzz_fuzz_bounce_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_bounce_LDADD = $(postern_libs)
TESTS += tests/fuzz/fuzz_bounce.test
EXTRA_DIST += tests/fuzz/fuzz_bounce.test tests/fuzz/bounce-seeds

check_PROGRAMS += tests/fuzz/fuzz_address
tests_fuzz_fuzz_address_SOURCES = tests/fuzz/fuzz_address.c tests/fuzz/check.h tests/fuzz/replay.c
tests_fuzz_fuzz_address_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_address_LDADD = $(postern_libs)
TESTS += tests/fuzz/fuzz_address.test
EXTRA_DIST += tests/fuzz/fuzz_address.test tests/fuzz/address-seeds

check_PROGRAMS += tests/fuzz/fuzz_envelope
tests_fuzz_fuzz_envelope_SOURCES = tests/fuzz/fuzz_envelope.c tests/fuzz/check.h tests/fuzz/replay.c
tests_fuzz_fuzz_envelope_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_envelope_LDADD = $(postern_libs)
TESTS += tests/fuzz/fuzz_envelope.test
EXTRA_DIST += tests/fuzz/fuzz_envelope.test tests/fuzz/envelope-seeds

# End to end: tests/e2e/run, as root; see there. Only the remote hosts' program is built.
check_PROGRAMS += tests/e2e/smtphost
tests_e2e_smtphost_SOURCES = tests/e2e/smtphost.c tests/e2e/session.c tests/e2e/session.h \
	tests/e2e/behaviour.c tests/e2e/behaviour.h
tests_e2e_smtphost_CFLAGS = $(AM_CFLAGS) $(LIBEVENT_CFLAGS)
tests_e2e_smtphost_LDADD = $(LIBEVENT_LIBS)
EXTRA_DIST += tests/e2e/run tests/e2e/inside tests/e2e/lib.sh tests/e2e/sandbox.sh
EXTRA_DIST += \
	tests/e2e/test_burst.sh \
	tests/e2e/test_cap_bounce.sh \
	tests/e2e/test_chaos.sh \
	tests/e2e/test_check_config.sh \
	tests/e2e/test_classify_filter.sh \
	tests/e2e/test_comes_back.sh \
	tests/e2e/test_config_gone.sh \
	tests/e2e/test_delay_report.sh \
	tests/e2e/test_dns_failure.sh \
	tests/e2e/early.sh \
	tests/e2e/test_door_policy.sh \
	tests/e2e/test_doctor.sh \
	tests/e2e/retrycap.sh \
	tests/e2e/test_door_retrycap.sh \
	tests/e2e/test_door_warn.sh \
	tests/e2e/test_early_door_ndr.sh \
	tests/e2e/test_early_dsn.sh \
	tests/e2e/test_early_imitation.sh \
	tests/e2e/test_early_killed.sh \
	tests/e2e/test_early_learned.sh \
	tests/e2e/test_early_mass.sh \
	tests/e2e/test_early_one.sh \
	tests/e2e/test_early_three.sh \
	tests/e2e/test_hold.sh \
	tests/e2e/test_links.sh \
	tests/e2e/inbound.sh \
	tests/e2e/test_inbound_client.sh \
	tests/e2e/test_inbound_milter.sh \
	tests/e2e/test_inbound_policy.sh \
	tests/e2e/instances.sh \
	tests/e2e/test_instances.sh \
	tests/e2e/test_instances_clash.sh \
	tests/e2e/limits.sh \
	tests/e2e/silent.sh \
	tests/e2e/test_lanes_classes.sh \
	tests/e2e/test_lanes_proven.sh \
	tests/e2e/test_lanes_suspect.sh \
	tests/e2e/test_limit_452.sh \
	tests/e2e/test_limit_552.sh \
	tests/e2e/test_limit_554.sh \
	tests/e2e/test_limit_alone.sh \
	tests/e2e/test_limit_nobody.sh \
	tests/e2e/test_limit_rises.sh \
	tests/e2e/test_limit_two_mx.sh \
	tests/e2e/test_metrics.sh \
	tests/e2e/test_never_opened.sh \
	tests/e2e/test_observe.sh \
	tests/e2e/test_old_postfix.sh \
	tests/e2e/test_one_host.sh \
	tests/e2e/test_other_directory.sh \
	tests/e2e/test_others_untouched.sh \
	tests/e2e/test_posternd_gone.sh \
	tests/e2e/test_reload_repair.sh \
	tests/e2e/test_replay.sh \
	tests/e2e/test_requeued.sh \
	tests/e2e/test_root_account.sh \
	tests/e2e/test_posternd_killed.sh \
	tests/e2e/test_postfix_restarted.sh \
	tests/e2e/test_postqueue_refuses.sh \
	tests/e2e/test_sandbox_dns.sh \
	tests/e2e/test_second_message.sh \
	tests/e2e/test_setup.sh \
	tests/e2e/test_setup_lanes.sh \
	tests/e2e/test_setup_milters.sh \
	tests/e2e/probation.sh \
	tests/e2e/test_setup_probation.sh \
	tests/e2e/test_setup_probation_refused.sh \
	tests/e2e/test_smtphost_greeting.sh \
	tests/e2e/test_smtphost_many.sh \
	tests/e2e/test_smtphost_replies.sh \
	tests/e2e/test_state_full.sh \
	tests/e2e/test_stock_refused.sh \
	tests/e2e/test_storm.sh \
	tests/e2e/test_transfer_retries.sh

# The documents: tests/docs/run, as root; see there. How it takes them apart is tested here.
TESTS += tests/docs/extract.test
EXTRA_DIST += tests/docs/run tests/docs/extract tests/docs/extract.test tests/docs/compare \
	tests/docs/lib.sh tests/docs/said.sh tests/docs/by-source tests/docs/by-package \
	tests/docs/exceptions

# Benchmarks: built by `make bench`, which also runs them; no part of `make check`.
EXTRA_PROGRAMS += tests/bench/ingest
tests_bench_ingest_SOURCES = tests/bench/ingest.c
tests_bench_ingest_CFLAGS = $(AM_CFLAGS)
tests_bench_ingest_LDADD = $(postern_libs)
CLEANFILES += tests/bench/ingest

EXTRA_PROGRAMS += tests/bench/policy
tests_bench_policy_SOURCES = tests/bench/policy.c
tests_bench_policy_CFLAGS = $(AM_CFLAGS)
tests_bench_policy_LDADD = $(postern_libs)
CLEANFILES += tests/bench/policy
EXTRA_DIST += tests/bench/policy.sh

.PHONY: bench bench-policy bench-replay
bench-replay: tests/replay/week policy/posternctl
	WEEK=tests/replay/week POSTERNCTL=policy/posternctl $(srcdir)/tests/replay/bench.sh

bench-policy: tests/bench/policy policy/posternd
	HELPER=tests/bench/policy POSTERND=policy/posternd $(srcdir)/tests/bench/policy.sh

bench: tests/bench/ingest
	tests/bench/ingest
