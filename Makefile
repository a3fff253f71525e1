# Kiln. `make help` is the index; settings are in config.mk.
include config.mk

B      := build/$(MODE)
ALLCFLAGS = -std=c11 -D_GNU_SOURCE -Iinclude -Ilib -fPIC -pthread $(WARNINGS) $(CFLAGS_$(MODE)) $(CFLAGS)
ALLLDFLAGS = -pthread -Wl,--as-needed $(LDFLAGS_$(MODE)) $(LDFLAGS)

LIB_SRC    := $(wildcard lib/*.c)
BROKER_SRC := $(wildcard broker/*.c broker/journal/*.c)
DAEMON_SRC := $(wildcard daemon/*.c)
CLI_SRC    := $(wildcard cli/*.c)
PROTOS     := $(wildcard plugins/*/*.proto)
PLUGINS    := $(notdir $(patsubst %/,%,$(dir $(wildcard plugins/*/plugin.c))))
objs = $(patsubst %.c,$(B)/obj/%.o,$(1))

UNIT_SRC   := $(wildcard tests/unit/test_*.c)
PUNIT_SRC  := $(wildcard tests/unit/*/test_*.c)
BAD_SRC    := $(wildcard tests/plugins/*.c)
BENCH_SRC  := $(wildcard bench/*.c)
FUZZ_SRC   := $(wildcard tests/fuzz/fuzz_*.c)
UNITS      := $(patsubst tests/unit/%.c,$(B)/tests/%,$(UNIT_SRC) $(PUNIT_SRC))
BAD        := $(patsubst tests/plugins/%.c,$(B)/tests/plugins/%.so,$(BAD_SRC))

PROGRAMS   := $(if $(BROKER_SRC),$(B)/kiln-broker) $(if $(DAEMON_SRC),$(B)/kilnd) $(if $(CLI_SRC),$(B)/kiln)
PLUGIN_SO  := $(PLUGINS:%=$(B)/plugins/%.so)
CLIENT_SO  := $(B)/libkiln.so.0

.DEFAULT_GOAL := all
.PHONY: onnx-nodes help all programs deps deps-check check check-fast demo bench bench-scale bench-kernels bench-inference install uninstall asan tsan fuzz fuzzers format tidy clean units
.SECONDARY:
.DELETE_ON_ERROR:

help:                   ## this index
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 22
	@echo "  settings (config.mk): MODE=release|asan|tsan CC=gcc|clang DEVELOPER=1 PREFIX= DESTDIR="

all: $(PROGRAMS) $(PLUGIN_SO) $(CLIENT_SO) ## programs, plugins and the C client library, in build/$(MODE)

# Compiling. A change of compiler or code-generating flags rebuilds everything. V=1 shows the commands.
STAMP = $(CC) $(CFLAGS_$(MODE)) $(CFLAGS) $(CFLAGS_plugin) $(ALLLDFLAGS)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $@)
$(B)/flags: FORCE
	@mkdir -p $(B)
	@echo '$(STAMP)' | cmp -s - $@ || echo '$(STAMP)' > $@
FORCE:

# The few files that know where things are installed; they alone are built again for another PREFIX.
WHERE := $(B)/obj/broker/main.o $(B)/obj/daemon/main.o $(B)/obj/daemon/config.o
$(WHERE): ALLCFLAGS += -DKILN_SYSCONFDIR='"$(SYSCONFDIR)"' -DKILN_PLUGINDIR='"$(PLUGINDIR)"'
$(WHERE): $(B)/prefix
$(B)/prefix: FORCE
	@mkdir -p $(B)
	@echo '$(SYSCONFDIR) $(PLUGINDIR)' | cmp -s - $@ || echo '$(SYSCONFDIR) $(PLUGINDIR)' > $@
$(B)/obj/plugins/%.o: ALLCFLAGS += $(CFLAGS_plugin)
$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALLCFLAGS) -MMD -MP -c -o $@ $<

$(B)/lib.a: $(call objs,$(LIB_SRC))
$(B)/broker.a: $(call objs,$(filter-out broker/main.c,$(BROKER_SRC)))
$(B)/daemon.a: $(call objs,$(filter-out daemon/main.c,$(DAEMON_SRC)))
$(B)/cli.a: $(call objs,$(filter-out cli/main.c,$(CLI_SRC)))
$(B)/%.a:
	$(call say,AR)
	$(Q)rm -f $@.new && ar rcs $@.new $^ && mv $@.new $@

$(B)/kiln-broker: $(B)/obj/broker/main.o $(B)/broker.a $(B)/lib.a
	$(call say,LD)
	$(Q)$(CC) $(ALLLDFLAGS) -o $@ $^ $(LIBS_broker)
$(B)/kilnd: $(B)/obj/daemon/main.o $(B)/daemon.a $(B)/lib.a
	$(call say,LD)
	$(Q)$(CC) $(ALLLDFLAGS) -o $@ $^ $(LIBS_daemon)
$(B)/kiln: $(B)/obj/cli/main.o $(B)/cli.a $(B)/lib.a
	$(call say,LD)
	$(Q)$(CC) $(ALLLDFLAGS) -o $@ $^ $(LIBS_cli)
$(CLIENT_SO): $(B)/lib.a lib/client.map
	$(call say,SO)
	$(Q)$(CC) -shared -Wl,-soname,libkiln.so.0 -Wl,--version-script=lib/client.map $(ALLLDFLAGS) -o $@ \
	    -Wl,-u,kiln_client_open $(B)/lib.a $(LIBS_client)

# Messages of plugins: x.proto becomes x.pb-c.c and x.pb-c.h in build/, before anything of that plugin is compiled.
$(B)/obj/%.pb-c.c: %.proto
	@mkdir -p $(@D)
	$(call say,PB)
	$(Q)protoc-c --proto_path=$(<D) --c_out=$(@D) $<
$(B)/obj/%.pb-c.o: $(B)/obj/%.pb-c.c $(B)/flags
	$(call say,CC)
	$(Q)$(CC) $(filter-out $(WARNINGS),$(ALLCFLAGS)) $(CFLAGS_plugin) -c -o $@ $<
define proto_rule
$(patsubst %.c,$(B)/obj/%.o,$(wildcard $(dir $(1))*.c $(dir $(1))*/*.c)): ALLCFLAGS += -I$(B)/obj/$(dir $(1))
$(patsubst %.c,$(B)/obj/%.o,$(wildcard $(dir $(1))*.c $(dir $(1))*/*.c)): | $(B)/obj/$(1:.proto=.pb-c.c)
endef
$(foreach p,$(PROTOS),$(eval $(call proto_rule,$(p))))

# One shared object per folder under plugins/; only kiln_plugin leaves it.
plugin_objs = $(call objs,$(wildcard plugins/$(1)/*.c plugins/$(1)/*/*.c)) $(patsubst %.proto,$(B)/obj/%.pb-c.o,$(wildcard plugins/$(1)/*.proto))
define plugin_rule
$(B)/plugins/$(1).so: $(call plugin_objs,$(1)) plugins/plugin.map
	@mkdir -p $$(@D)
	$$(call say,SO)
	$$(Q)$$(CC) -shared -Wl,--version-script=plugins/plugin.map $$(DEFS_plugin) $$(ALLLDFLAGS) -o $$@ $$(filter %.o,$$^) $$(LIBS_plugin_$(1)) -lm
endef
$(foreach p,$(PLUGINS),$(eval $(call plugin_rule,$(p))))

# Tests: tests/unit/test_x.c sees lib, broker, daemon and cli; tests/unit/<plugin>/test_x.c sees that plugin's objects.
$(B)/tests/plugins/%.so: tests/plugins/%.c plugins/plugin.map $(B)/flags
	@mkdir -p $(@D)
	$(call say,SO)
	$(Q)$(CC) -shared $(ALLCFLAGS) $(CFLAGS_plugin) -MMD -MP -MF $(@:.so=.d) -Wl,--version-script=plugins/plugin.map $(ALLLDFLAGS) -o $@ $< -lm
define punit_rule
$(B)/tests/$(1)/%: tests/unit/$(1)/%.c $(call plugin_objs,$(1)) $(B)/flags
	@mkdir -p $$(@D)
	$$(call say,LD)
	$$(Q)$$(CC) $$(ALLCFLAGS) -Iplugins/$(1) -I$(B)/obj/plugins/$(1) -MMD -MP -MF $$@.d $$(ALLLDFLAGS) -o $$@ $$(filter %.c %.o,$$^) $$(LIBS_plugin_$(1)) -lcmocka -ljansson -lm
endef
$(foreach p,$(PLUGINS),$(eval $(call punit_rule,$(p))))
$(B)/tests/test_%: tests/unit/test_%.c $(B)/broker.a $(B)/daemon.a $(B)/cli.a $(B)/lib.a $(B)/flags
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALLCFLAGS) -I. -DKILN_PLUGINDIR='"$(PLUGINDIR)"' -MMD -MP -MF $@.d $(ALLLDFLAGS) -o $@ $< $(filter %.a,$^) $(LIBS_daemon) -lcmocka
$(B)/tests/drive: tests/oracle/drive.c $(B)/daemon.a $(B)/lib.a $(B)/flags
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALLCFLAGS) -I. -Idaemon -MMD -MP -MF $@.d $(ALLLDFLAGS) -o $@ $< $(filter %.a,$^) $(LIBS_daemon)
$(B)/tests/onnx_nodes: tests/oracle/onnx_nodes.c $(call plugin_objs,inference) $(B)/flags
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALLCFLAGS) -Iplugins/inference -I$(B)/obj/plugins/inference -MMD -MP -MF $@.d $(ALLLDFLAGS) -o $@ $(filter %.c %.o,$^) $(LIBS_plugin_inference) -lm
# Fuzzing of model files: built like the other targets, but of the plugin's objects.
$(B)/fuzz/onnx: tests/fuzz/fuzz_onnx.c $(call plugin_objs,inference) $(B)/flags
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALLCFLAGS) -Iplugins/inference -I$(B)/obj/plugins/inference -MMD -MP -MF $@.d $(ALLLDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.c %.o,$^) $(LIBS_plugin_inference) -lm
units: $(UNITS) $(BAD) $(B)/tests/drive $(B)/tests/onnx_nodes

# A target is one file; with MODE=fuzz.
$(B)/fuzz/%: tests/fuzz/fuzz_%.c $(B)/broker.a $(B)/daemon.a $(B)/cli.a $(B)/lib.a $(B)/flags
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALLCFLAGS) -I. -Itests/fuzz -DKILN_PLUGINDIR='"$(PLUGINDIR)"' -MMD -MP -MF $@.d $(ALLLDFLAGS) -fsanitize=fuzzer -o $@ $< $(filter %.a,$^) $(LIBS_daemon) -lcmocka
fuzzers: $(patsubst tests/fuzz/fuzz_%.c,$(B)/fuzz/%,$(FUZZ_SRC))

$(B)/tests/onnx_compare: tests/oracle/onnx_compare.c $(call plugin_objs,inference) $(B)/flags
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALLCFLAGS) -Iplugins/inference -I$(B)/obj/plugins/inference -MMD -MP -MF $@.d $(ALLLDFLAGS) -o $@ $(filter %.c %.o,$^) $(LIBS_plugin_inference) -ldl -lm
$(B)/bench/%: bench/%.c $(B)/lib.a $(B)/flags
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALLCFLAGS) -MMD -MP -MF $@.d $(ALLLDFLAGS) -o $@ $< $(B)/lib.a $(LIBS_daemon)

deps:                   ## install what the build and the demo need (Debian; as root, else prints the command)
	@tools/deps $(DEPS_BUILD)
deps-check:             ## the same for every test
	@tools/deps $(DEPS_CHECK)

check: deps-check       ## build everything and run every test, also under ASan+UBSan and TSan
	@$(MAKE) --no-print-directory DEVELOPER=1 all
	@$(PYTHON) tests/run
check-fast: all units   ## unit and end-to-end tests of build/$(MODE) only; K=pattern picks some
	@$(PYTHON) tests/run --mode $(MODE) $(if $(K),-k '$(K)')
asan:                   ## build/asan: AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory MODE=asan DEVELOPER=1 all units
tsan:                   ## build/tsan: ThreadSanitizer
	@$(MAKE) --no-print-directory MODE=tsan DEVELOPER=1 all units

fuzz:                   ## every fuzz target for T seconds (60); K=name picks one; what they find serves the next run
	@$(MAKE) --no-print-directory MODE=fuzz fuzzers
	@$(PYTHON) tests/run --fuzz $(or $(T),60) $(if $(K),-k '$(K)')

demo: deps              ## install what is missing, build, run the main job on real data
	@$(MAKE) --no-print-directory MODE=release all
	@examples/demo $(B)
bench: all $(patsubst bench/%.c,$(B)/bench/%,$(BENCH_SRC)) ## end-to-end figures beside the bare ZeroMQ chain, as ratios
	@$(PYTHON) bench/run --build $(B)
bench-scale: all        ## throughput and latency over 1, 2, 4 workers and nodes; shares of keys; the curve into docs/scale.svg
	@$(PYTHON) bench/scale --build $(B) --svg docs/scale.svg
bench-kernels: all $(B)/tests/drive ## stats and indicators beside NumPy, SciPy, Numba, bottleneck, pandas (TALIB=, TULIP=: those too)
	@tools/deps $(DEPS_BENCH)
	@$(PYTHON) bench/kernels --build $(B)
bench-inference: all $(B)/tests/onnx_compare ## inference beside ONNX Runtime (ORT=libonnxruntime.so.1), else alone; ROUNDS=3
	@tools/deps $(DEPS_CHECK)
	@$(PYTHON) bench/inference --build $(B) $(if $(ORT),--ort '$(ORT)') --rounds $(or $(ROUNDS),3)

onnx-nodes: $(B)/tests/onnx_nodes ## ONNX's own tests of operators on plugins/inference: passed, failed, out of scope by operator
	@KILN_MODE=$(MODE) $(PYTHON) tools/onnx-nodes

install: all            ## into $(DESTDIR)$(PREFIX)
	@tools/install install '$(DESTDIR)' $(B) BINDIR=$(BINDIR) SBINDIR=$(SBINDIR) LIBDIR=$(LIBDIR) INCLUDEDIR=$(INCLUDEDIR) \
	    PLUGINDIR=$(PLUGINDIR) DATADIR=$(DATADIR) DOCDIR=$(DOCDIR) SYSCONFDIR=$(SYSCONFDIR) UNITDIR=$(UNITDIR) PREFIX=$(PREFIX) VERSION=$(VERSION)
uninstall:              ## removes what install put there (your kiln.conf stays)
	@tools/install uninstall '$(DESTDIR)' $(B) BINDIR=$(BINDIR) SBINDIR=$(SBINDIR) LIBDIR=$(LIBDIR) INCLUDEDIR=$(INCLUDEDIR) \
	    PLUGINDIR=$(PLUGINDIR) DATADIR=$(DATADIR) DOCDIR=$(DOCDIR) SYSCONFDIR=$(SYSCONFDIR) UNITDIR=$(UNITDIR) PREFIX=$(PREFIX) VERSION=$(VERSION)

SOURCES := $(wildcard include/kiln/*.h lib/*.[ch] broker/*.[ch] broker/journal/*.[ch] daemon/*.[ch] cli/*.[ch] plugins/*/*.[ch] plugins/*/*/*.[ch] tests/unit/*.[ch] tests/unit/*/*.[ch] tests/plugins/*.[ch] tests/oracle/*.[ch] tests/fuzz/*.[ch] bench/*.[ch])
format:                 ## clang-format all C files
	@clang-format -i $(SOURCES)
tidy:                   ## clang-tidy over the C files
	@clang-tidy --quiet $(filter-out plugins/% tests/%,$(filter %.c,$(SOURCES))) -- -std=c11 -D_GNU_SOURCE -Iinclude -Ilib -DKILN_SYSCONFDIR='"/etc"' -DKILN_PLUGINDIR='"/usr/lib/kiln/plugins"'
clean:                  ## removes build/
	rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)
