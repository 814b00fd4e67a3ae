# poolctl and poold.  `make help` lists what can be made.

VERSION := 0.1.0

PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?= /usr/bin/python3
# SANITIZE=address,undefined builds into a folder of its own.
SANITIZE ?=
V ?=

ifeq ($(V),)
Q := @
say = @printf '  %-7s %s\n' '$(1)' '$(2)'
endif

# Each kind of build has its folder: native, sanitized, another compiler, Windows.
ifneq ($(SANITIZE),)
VARIANT ?= sanitized
else ifeq ($(notdir $(CC)),clang)
VARIANT ?= clang
else
VARIANT ?= native
endif
OUT := build/$(VARIANT)

ifeq ($(VARIANT),windows)
PLATFORM := windows
CC := x86_64-w64-mingw32-gcc
EXE := .exe
# Static libraries that tests/windows/libraries.sh cross-built; see docs/internals.md.
LIBRARIES := $(shell tests/windows/libraries.sh)
PLATFORM_FLAGS := -D__USE_MINGW_ANSI_STDIO=1 -D_WIN32_WINNT=0x0A00 -DCURL_STATICLIB \
	-DCARES_STATICLIB -DYAML_DECLARE_STATIC -isystem $(LIBRARIES)/include
# Without symbols poold.exe is a tenth as large.
LDFLAGS += -static -s -L$(LIBRARIES)/lib
POOLD_LIBS := -lmicrohttpd -lgnutls -lhogweed -lnettle -lgmp -ljansson -lyaml -lsqlite3 \
	-lcurl -lpdh -lws2_32 -liphlpapi -lcrypt32 -lncrypt -lbcrypt -ladvapi32 -lpthread
POOLCTL_LIBS := -lcurl -lcares -lnettle -ljansson -lyaml -lws2_32 -liphlpapi -lcrypt32 -lbcrypt \
	-ladvapi32 -lpthread
POOLD_RESOURCES := $(OUT)/obj/messages.o
else
PLATFORM := unix
EXE :=
PLATFORM_FLAGS := -D_GNU_SOURCE
POOLD_LIBS := -lmicrohttpd -lnettle -ljansson -lyaml -lsqlite3 -lm -lpthread
POOLCTL_LIBS := -lcurl -lcares -lnettle -ljansson -lyaml -lpthread
endif

OPTIMIZE ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wundef -Wvla -Wpointer-arith -Werror
HARDEN := $(if $(SANITIZE),,$(if $(filter unix,$(PLATFORM)),-D_FORTIFY_SOURCE=2 -fstack-protector-strong))
SANITIZER := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
ALL_CFLAGS := -std=c11 $(OPTIMIZE) $(WARNINGS) $(HARDEN) $(SANITIZER) -DVERSION='"$(VERSION)"' \
	-Icommon -Ipool-config -Idaemon -Ictl $(PLATFORM_FLAGS) $(CFLAGS)

# All of a folder's files but those of the other platform.
other_platform := $(if $(filter windows,$(PLATFORM)),%_unix.c %_linux.c,%_windows.c)
sources = $(filter-out $(other_platform),$(wildcard $(1)/*.c))
objects = $(patsubst %.c,$(OUT)/obj/%.o,$(1))

COMMON_OBJECTS := $(call objects,$(call sources,common) $(call sources,pool-config)) \
	$(OUT)/obj/profiles.o
POOLD_OBJECTS := $(call objects,$(call sources,daemon))
POOLCTL_OBJECTS := $(call objects,$(call sources,ctl))
PROGRAMS := $(OUT)/poold$(EXE) $(OUT)/poolctl$(EXE)

.PHONY: all windows check check-survive check-sessions check-safety model fuzz demo \
	demo-windows bench lint format install clean help setup-% programs unit-tests \
	windows-tests test-tools forecast-table
.DELETE_ON_ERROR:
.SECONDARY:

all: setup-build programs
programs: $(PROGRAMS)

$(OUT)/poold$(EXE): $(POOLD_OBJECTS) $(COMMON_OBJECTS) $(POOLD_RESOURCES)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) $(POOLD_LIBS)

$(OUT)/poolctl$(EXE): $(POOLCTL_OBJECTS) $(COMMON_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) $(POOLCTL_LIBS)

$(OUT)/obj/%.o: %.c Makefile
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The profiles as C texts, so that the programs need no files.
PROFILES := $(sort $(wildcard pool-config/profiles/*.yaml))

$(OUT)/obj/profiles.c: $(PROFILES) Makefile
	$(Q)mkdir -p $(@D)
	$(Q){ echo '#include "profiles.h"'; echo 'const struct profile profiles[] = {'; \
		for file in $(PROFILES); do \
			printf '{"%s",\n' "$$(basename $$file .yaml)"; \
			sed 's/[\\"]/\\&/g; s/^/"/; s/$$/\\n"/' $$file; \
			echo '},'; \
		done; echo '{0, 0}};'; } > $@

$(OUT)/obj/profiles.o: $(OUT)/obj/profiles.c
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# What Event Viewer shows of poold's events: for each id of the table, their own text.
$(OUT)/obj/messages.mc: common/event_kinds.c Makefile
	$(Q)mkdir -p $(@D)
	$(Q){ printf 'FacilityNames=(Poold=0)\n\n'; \
		sed -n 's/^\t\[EVENT_.*{"[a-z_]*", \([0-9]*\), .*/MessageId=\1\nLanguage=English\n%1\n.\n/p' \
			$<; } > $@

$(OUT)/obj/messages.o: $(OUT)/obj/messages.mc
	$(call say,MC,$@)
	$(Q)x86_64-w64-mingw32-windmc -h $(@D) -r $(@D) $<
	$(Q)x86_64-w64-mingw32-windres $(OUT)/obj/messages.rc $@

-include $(wildcard $(OUT)/obj/*/*.d $(OUT)/obj/*/*/*.d)

# Installs the Debian packages that are missing; silent when there are none.
setup-%:
	$(Q)tests/setup/packages.sh $*

windows: setup-build setup-windows
	$(Q)$(MAKE) --no-print-directory VARIANT=windows programs

# ---- tests ----

# A unit test links everything but the programs' main files.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(OUT)/tests/%,$(wildcard tests/unit/test_*.c))
UNIT_OBJECTS := $(filter-out %/main.o,$(POOLD_OBJECTS) $(POOLCTL_OBJECTS)) $(COMMON_OBJECTS)

unit-tests: $(UNIT_TESTS)

$(OUT)/tests/test_%: $(OUT)/obj/tests/unit/test_%.o $(UNIT_OBJECTS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) -lcmocka $(POOLD_LIBS) $(POOLCTL_LIBS)

test-tools: $(OUT)/tests/load_config $(OUT)/tests/read_source $(OUT)/tests/ask_dns

$(OUT)/tests/load_config: $(OUT)/obj/tests/config/load_config.o $(COMMON_OBJECTS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) -lnettle -lyaml -ljansson -lpthread

$(OUT)/tests/bench_config: $(OUT)/obj/tests/bench/load_config.o $(COMMON_OBJECTS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) -lnettle -lyaml -ljansson -lpthread

# A session source alone; the connections alone, for the benchmarks.
$(OUT)/tests/read_source$(EXE): $(OUT)/obj/tests/support/read_source.o
$(OUT)/tests/count_sessions: $(OUT)/obj/tests/bench/count_sessions.o
$(OUT)/tests/read_source$(EXE) $(OUT)/tests/count_sessions: \
		$(filter-out %/main.o,$(POOLD_OBJECTS)) $(COMMON_OBJECTS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) $(POOLD_LIBS)

# What DNS says, alone.
$(OUT)/tests/ask_dns$(EXE): $(OUT)/obj/tests/support/ask_dns.o \
		$(filter-out %/main.o,$(POOLCTL_OBJECTS)) $(COMMON_OBJECTS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) $(POOLCTL_LIBS)

# Whether forecasts come true; see docs/forecast.md.
FORECAST_OBJECTS := $(addprefix $(OUT)/obj/,tests/sessions/forecast.o daemon/forecast.o \
	daemon/hazards.o daemon/lifetimes.o daemon/progress.o)

$(OUT)/tests/forecast: $(FORECAST_OBJECTS) $(COMMON_OBJECTS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) -lnettle -lyaml -ljansson -lm -lpthread

FORECAST_SEED ?= 1
TRACES := tests/sessions/traces

# The table of docs/forecast.md.
forecast-table: build/native/tests/forecast
	$(Q)$< --seed $(FORECAST_SEED) 'recorded: programs'=$(TRACES)/programs.txt

# Many sessions, which somebody else counts.
build/native/tests/crowd: tests/sessions/crowd.c Makefile
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)gcc -std=c11 -O2 -g $(WARNINGS) -D_GNU_SOURCE -o $@ $<

# Preloaded into poold, whatever that was built with.
build/native/tests/fault.so: tests/survive/fault.c Makefile
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)gcc -std=c11 -O2 -g $(WARNINGS) -D_GNU_SOURCE -fPIC -shared -o $@ $< -ldl

# After the programs, whose objects standins.exe shares.
windows-tests: windows
	$(Q)$(MAKE) --no-print-directory VARIANT=windows build/windows/tests/testservice.exe \
		build/windows/tests/scm.exe build/windows/tests/standins.exe \
		build/windows/tests/read_source.exe build/windows/tests/read_pdh.exe \
		build/windows/tests/ask_dns.exe \
		build/windows/tests/program.exe build/windows/tests/wtsapi32.dll

build/windows/tests/%.exe: tests/windows/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)x86_64-w64-mingw32-gcc -std=c11 -O2 $(WARNINGS) -o $@ $< -static \
		-lws2_32 -ladvapi32 -lshell32

# Its sessions of Remote Desktop are those of a file.
build/windows/tests/wtsapi32.dll: tests/windows/wtsapi32.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)x86_64-w64-mingw32-gcc -std=c11 -O2 $(WARNINGS) -shared -o $@ $< -static

# read_source, whose performance counters are those of a file.
build/windows/tests/read_pdh.exe: $(OUT)/obj/tests/windows/pdh.o \
		$(OUT)/obj/tests/support/read_source.o \
		$(filter-out %/main.o,$(POOLD_OBJECTS)) $(COMMON_OBJECTS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) $(POOLD_LIBS)

build/windows/tests/standins.exe: $(OUT)/obj/tests/windows/standins.o \
		$(filter-out %/main.o,$(POOLD_OBJECTS)) $(COMMON_OBJECTS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) $(POOLD_LIBS)

check: setup-build setup-check setup-windows setup-wine
	$(Q)$(PYTHON) tests/run.py

# Crashes, faults and interference alone; the last line counts their points.
check-survive: setup-build setup-check setup-windows setup-wine
	$(Q)$(PYTHON) tests/run.py unit survive survive_windows; status=$$?; \
		$(PYTHON) tests/survive/count.py && exit $$status

# Counting, settling and forecasts alone; the last line counts what was held against the
# truth.
check-sessions: setup-build setup-check setup-windows setup-wine
	$(Q)$(PYTHON) tests/run.py unit sessions sessions_windows; status=$$?; \
		$(PYTHON) tests/sessions/count.py && exit $$status

# Many operators at once, and maintenance that no user notices, alone; more rounds than check.
SAFETY_ROUNDS ?= 2000
check-safety: setup-build setup-check setup-windows setup-wine
	$(Q)SAFETY_ROUNDS=$(SAFETY_ROUNDS) $(PYTHON) tests/run.py safety; status=$$?; \
		$(PYTHON) tests/safety/count.py && exit $$status

# The protocol of reservations with 4 servers and 3 clients; check has 3 and 2.
model: setup-build setup-check
	$(Q)$(PYTHON) tests/model/spin.py

demo: setup-build setup-demo programs
	$(Q)$(PYTHON) tests/system/demo.py

demo-windows: setup-build setup-demo setup-windows setup-wine windows windows-tests programs
	$(Q)$(PYTHON) tests/windows/demo.py

bench: setup-build setup-bench setup-windows setup-wine programs windows windows-tests
	$(Q)$(PYTHON) tests/bench/bench.py

# FUZZ_SECONDS of the fuzzer; what it finds new stays in build/fuzz.
FUZZ_SECONDS ?= 600
FUZZ_SOURCES := $(call sources,common) $(call sources,pool-config)

build/fuzz/fuzz_config: tests/fuzz/fuzz_config.c $(FUZZ_SOURCES) $(OUT)/obj/profiles.c
	$(call say,FUZZ,$@)
	$(Q)mkdir -p build/fuzz/found
	$(Q)clang -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-D_GNU_SOURCE -Icommon -Ipool-config -o $@ $^ -lnettle -lyaml -ljansson -lpthread

fuzz: setup-build setup-check build/fuzz/fuzz_config
	$(Q)build/fuzz/fuzz_config -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 \
		-print_final_stats=1 -artifact_prefix=build/fuzz/ build/fuzz/found tests/fuzz/corpus \
		tests/config pool-config/profiles pool-config/examples

# ---- keeping it in order ----

C_FILES := $(wildcard common/*.[ch] pool-config/*.[ch] daemon/*.[ch] ctl/*.[ch] tests/*/*.[ch])

lint: setup-check
	$(Q)tests/setup/lint.sh

format: setup-check
	$(Q)clang-format -i $(C_FILES)

install: programs
	$(call say,INSTALL,$(DESTDIR)$(PREFIX))
	$(Q)install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin
	$(Q)install -m 755 $(OUT)/poolctl $(DESTDIR)$(PREFIX)/bin/poolctl
	$(Q)install -m 755 $(OUT)/poold $(DESTDIR)$(PREFIX)/sbin/poold
	$(Q)install -d $(DESTDIR)$(PREFIX)/share/doc/poolctl
	$(Q)install -m 644 README.md LICENSE docs/*.md docs/*.yaml pool-config/examples/*.yaml \
		$(DESTDIR)$(PREFIX)/share/doc/poolctl

clean:
	$(Q)rm -rf build

help:
	@echo 'make                 build/native/poolctl and build/native/poold'
	@echo 'make windows         build/windows/poolctl.exe and build/windows/poold.exe'
	@echo 'make demo            a drain on three simulated servers, half a minute'
	@echo 'make demo-windows    the same on three Windows servers under Wine'
	@echo 'make check           all tests; the last line counts them'
	@echo 'make check-survive   crashes, faults and interference alone; counts their points'
	@echo 'make check-sessions  what is said about sessions, against the truth; counts samples'
	@echo 'make check-safety    many operators at once, and users meanwhile; counts rounds'
	@echo 'make model           how drains are reserved, in a larger model than in check'
	@echo 'make bench           figures as ratios, also in build/bench.json'
	@echo 'make fuzz            the loader against random files, FUZZ_SECONDS=600'
	@echo 'make forecast-table  whether forecasts come true, for docs/forecast.md'
	@echo 'make lint, format    how the code looks'
	@echo 'make install DESTDIR= PREFIX=/usr/local'
	@echo 'Variables: CC=clang, SANITIZE=address,undefined, V=1 to see the commands'
