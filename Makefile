# poolctl and poold.  `make help` lists what can be made.

VERSION := 0.1.0

PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?= /usr/bin/python3
# Where nobody has logged in, as in a container, there may be no HOME for the cache.
export HOME ?= $(shell getent passwd "$$(id -u)" | cut -d: -f6)
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
NEEDS := windows
LIBRARIES := $(shell tests/setup/packages.sh $(NEEDS) >&2 && tests/windows/libraries.sh)
ifeq ($(LIBRARIES),)
$(error The libraries for Windows are missing)
endif
PLATFORM_FLAGS := -D__USE_MINGW_ANSI_STDIO=1 -D_WIN32_WINNT=0x0A00 -DCURL_STATICLIB \
	-DCARES_STATICLIB -DYAML_DECLARE_STATIC -DGNUTLS_INTERNAL_BUILD=1 -isystem $(LIBRARIES)/include
# Without symbols poold.exe is a tenth as large.  The time of the link is left out, so that the
# same sources make the same file.
LDFLAGS += -static -s -L$(LIBRARIES)/lib -Wl,--dynamicbase,--nxcompat,--high-entropy-va \
	-Wl,--no-insert-timestamp
POOLD_LIBS := -lmicrohttpd -lgnutls -lhogweed -lnettle -lgmp -ljansson -lyaml -lsqlite3 \
	-lcurl -lpdh -lws2_32 -liphlpapi -lcrypt32 -lncrypt -lbcrypt -ladvapi32 -lsecur32 -lpthread
POOLCTL_LIBS := -lcurl -lcares -lnettle -ljansson -lyaml -lnormaliz -lws2_32 -liphlpapi -lcrypt32 -lbcrypt \
	-ladvapi32 -lsecur32 -lpthread
POOLD_RESOURCES := $(OUT)/obj/messages.o $(OUT)/obj/version_poold.o
POOLCTL_RESOURCES := $(OUT)/obj/version_poolctl.o
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
else
PLATFORM := unix
EXE :=
NEEDS := build $(filter clang,$(notdir $(CC)))
PLATFORM_FLAGS := -D_GNU_SOURCE
ifeq ($(SANITIZE),)
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE \
	$(if $(filter x86_64%,$(shell uname -m)),-fcf-protection)
LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack
endif
POOLD_LIBS := -lmicrohttpd -lgnutls -lnettle -ljansson -lyaml -lsqlite3 -lm -lpthread
POOLCTL_LIBS := -lcurl -lcares -lidn2 -lnettle -ljansson -lyaml -lpthread
endif

OPTIMIZE ?= -O2 -g
comma := ,
WARNINGS := -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wundef -Wvla -Wpointer-arith -Werror
SANITIZER := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
ALL_CFLAGS := -std=c11 $(OPTIMIZE) $(WARNINGS) $(HARDEN) $(SANITIZER) -DVERSION='"$(VERSION)"' \
	-ffile-prefix-map=$(CURDIR)=. \
	-Icommon -Ipool-config -Idaemon -Ictl -Itests/unit $(PLATFORM_FLAGS) $(CFLAGS)

# All of a folder's files but those of the other platform.
other_platform := $(if $(filter windows,$(PLATFORM)),%_unix.c %_linux.c,%_windows.c)
sources = $(filter-out $(other_platform),$(wildcard $(1)/*.c $(1)/*/*.c))
objects = $(patsubst %.c,$(OUT)/obj/%.o,$(1))

COMMON_OBJECTS := $(call objects,$(call sources,common) $(call sources,pool-config)) \
	$(OUT)/obj/profiles.o
POOLD_OBJECTS := $(call objects,$(call sources,daemon))
POOLCTL_OBJECTS := $(call objects,$(call sources,ctl)) $(OUT)/obj/completion_scripts.o
PROGRAMS := $(OUT)/poold$(EXE) $(OUT)/poolctl$(EXE)

.PHONY: all windows check check-survive check-sessions check-safety check-outside check-security model fuzz fresh \
	demo demo-windows picture bench lint format install uninstall packages deb msi sbom sbom-file clean help setup-build setup-check \
	programs man unit-tests windows-tests test-tools forecast-table
.DELETE_ON_ERROR:
.SECONDARY:

all: programs
programs: $(PROGRAMS)

# Each command works as the first one on a bare machine, also with -j.  What compiles waits for
# setup-build; what needs more installs that as the first step of its recipe.  Missing packages
# are named; with none missing this is silent, and takes milliseconds.  The two setups have rules
# of their own: after a pattern rule for them, make would run them last.
PACKAGES := tests/setup/packages.sh

setup-build:
	$(Q)$(PACKAGES) $(NEEDS)

setup-check:
	$(Q)$(PACKAGES) build clang lint model check windows wine fresh shells manual packages installer

$(OUT)/poold$(EXE): $(POOLD_OBJECTS) $(COMMON_OBJECTS) $(POOLD_RESOURCES)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) $(POOLD_LIBS)

$(OUT)/poolctl$(EXE): $(POOLCTL_OBJECTS) $(COMMON_OBJECTS) $(POOLCTL_RESOURCES)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) $(POOLCTL_LIBS)

$(OUT)/obj/%.o: %.c Makefile | setup-build
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Texts as a C table, so that the programs need no files: of the header's struct and table,
# each text with the name of its file.
embed = $(Q)mkdir -p $(@D) && { echo '\#include "$(1).h"'; echo 'const struct $(2) $(1)[] = {'; \
	for file in $(3); do \
		printf '{"%s",\n' "$$(basename $$file .yaml)"; \
		sed 's/[\\"]/\\&/g; s/^/"/; s/$$/\\n"/' $$file; \
		echo '},'; \
	done; echo '{0, 0}};'; } > $@

PROFILES := $(sort $(wildcard pool-config/profiles/*.yaml))
COMPLETIONS := $(sort $(wildcard ctl/completion/*))

$(OUT)/obj/profiles.c: $(PROFILES) Makefile
	$(call embed,profiles,profile,$(PROFILES))

$(OUT)/obj/completion_scripts.c: $(COMPLETIONS) Makefile
	$(call embed,completion_scripts,completion_script,$(COMPLETIONS))

$(OUT)/obj/profiles.o $(OUT)/obj/completion_scripts.o: %.o: %.c | setup-build
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# What Event Viewer shows of poold's events: for each id of the table, their own text.
$(OUT)/obj/messages.mc: common/event_kind.c Makefile
	$(Q)mkdir -p $(@D)
	$(Q){ printf 'FacilityNames=(Poold=0)\n\n'; \
		sed -n 's/^\t\[EVENT_.*{"[a-z_]*", \([0-9]*\), .*/MessageId=\1\nLanguage=English\n%1\n.\n/p' \
			$<; } > $@

$(OUT)/obj/messages.o: $(OUT)/obj/messages.mc
	$(call say,MC,$@)
	$(Q)x86_64-w64-mingw32-windmc -h $(@D) -r $(@D) $<
	$(Q)x86_64-w64-mingw32-windres $(OUT)/obj/messages.rc $@

# What Windows shows of a file.
$(OUT)/obj/version_poold.o: ABOUT := Takes the services of this server out of its pool and back
$(OUT)/obj/version_poolctl.o: ABOUT := Takes Windows servers of a pool out of service and back
$(OUT)/obj/version_%.o: daemon/packaging/version.rc.in Makefile | setup-build
	$(call say,RC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)sed -e 's/@PROGRAM@/$*/; s/@ABOUT@/$(ABOUT)/; s/@VERSION@/$(VERSION)/' \
		-e 's/@NUMBERS@/$(subst .,$(comma),$(VERSION))/' $< >$(@:.o=.rc)
	$(Q)x86_64-w64-mingw32-windres $(@:.o=.rc) $@

-include $(wildcard $(OUT)/obj/*/*.d $(OUT)/obj/*/*/*.d $(OUT)/obj/*/*/*/*.d)

windows:
	$(Q)$(MAKE) --no-print-directory VARIANT=windows programs

# ---- tests ----

# A unit test links everything but the programs' main files.
UNIT_SOURCES := $(wildcard tests/unit/*/test_*.c)
UNIT_TESTS := $(patsubst %.c,$(OUT)/tests/%,$(notdir $(UNIT_SOURCES)))
UNIT_OBJECTS := $(filter-out %/main.o,$(POOLD_OBJECTS) $(POOLCTL_OBJECTS)) $(COMMON_OBJECTS)

unit-tests: $(UNIT_TESTS)

.SECONDEXPANSION:
$(OUT)/tests/test_%: $$(patsubst tests/%.c,$(OUT)/obj/tests/%.o,$$(filter %/test_$$*.c,$(UNIT_SOURCES))) \
		$(UNIT_OBJECTS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) -lcmocka $(POOLD_LIBS) $(POOLCTL_LIBS)

test-tools: $(OUT)/tests/load_config $(OUT)/tests/read_source $(OUT)/tests/ask_dns \
	$(OUT)/tests/serve_tls

$(OUT)/tests/load_config: $(OUT)/obj/tests/support/load_config.o $(COMMON_OBJECTS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) -lnettle -lyaml -ljansson -lpthread

# A session source alone; the connections alone, for the benchmarks.
$(OUT)/tests/read_source$(EXE): $(OUT)/obj/tests/support/read_source.o
$(OUT)/tests/count_sessions: $(OUT)/obj/tests/bench/count_sessions.o
$(OUT)/tests/serve_tls: $(OUT)/obj/tests/support/serve_tls.o
$(OUT)/tests/read_source$(EXE) $(OUT)/tests/count_sessions $(OUT)/tests/serve_tls: \
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
FORECAST_OBJECTS := $(addprefix $(OUT)/obj/,tests/sessions/forecast.o daemon/forecast/forecast.o \
	daemon/forecast/hazard_model.o daemon/forecast/lifetimes.o daemon/sessions/progress.o)

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
build/native/tests/crowd: tests/sessions/crowd.c Makefile | setup-build
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)gcc -std=c11 -O2 -g $(WARNINGS) -D_GNU_SOURCE -o $@ $<

# Preloaded into poold, whatever that was built with.
build/native/tests/fault.so: tests/survive/fault.c Makefile | setup-build
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

build/windows/tests/%.exe: tests/windows/programs/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)x86_64-w64-mingw32-gcc -std=c11 -O2 $(WARNINGS) -o $@ $< -static \
		-lws2_32 -ladvapi32 -lshell32

# Its sessions of Remote Desktop are those of a file.
build/windows/tests/wtsapi32.dll: tests/windows/programs/wtsapi32.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)x86_64-w64-mingw32-gcc -std=c11 -O2 $(WARNINGS) -shared -o $@ $< -static

# read_source, whose performance counters are those of a file.
build/windows/tests/read_pdh.exe: $(OUT)/obj/tests/windows/programs/pdh.o \
		$(OUT)/obj/tests/support/read_source.o \
		$(filter-out %/main.o,$(POOLD_OBJECTS)) $(COMMON_OBJECTS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) $(POOLD_LIBS)

build/windows/tests/standins.exe: $(OUT)/obj/tests/windows/programs/standins.o \
		$(filter-out %/main.o,$(POOLD_OBJECTS)) $(COMMON_OBJECTS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) $(POOLD_LIBS)

check: setup-check
	$(Q)$(PYTHON) tests/run.py

# Crashes, faults and interference alone; the last line counts their points.
check-survive: setup-check
	$(Q)$(PYTHON) tests/run.py unit survive survive_windows; status=$$?; \
		$(PYTHON) tests/survive/count.py && exit $$status

# Counting, settling and forecasts alone; the last line counts what was held against the
# truth.
check-sessions: setup-check
	$(Q)$(PYTHON) tests/run.py unit sessions sessions_windows; status=$$?; \
		$(PYTHON) tests/sessions/count.py && exit $$status

# Many operators at once, and maintenance that no user notices, alone; more rounds than check.
SAFETY_ROUNDS ?= 2000
check-safety: setup-check
	$(Q)SAFETY_ROUNDS=$(SAFETY_ROUNDS) $(PYTHON) tests/run.py safety safety_windows; status=$$?; \
		$(PYTHON) tests/safety/count.py && exit $$status

# What people who did not write the program tried on it, alone.
check-outside: setup-check
	$(Q)$(PYTHON) tests/run.py outside; status=$$?; \
		$(PYTHON) tests/outside/count.py && exit $$status

# Who may ask what, and who is believed, alone.
check-security: setup-check
	$(Q)$(PYTHON) tests/run.py security; status=$$?; \
		$(PYTHON) tests/security/count.py && exit $$status

# The protocol of reservations with 4 servers and 3 clients; check has 3 and 2.
model:
	$(Q)$(PACKAGES) build model
	$(Q)$(PYTHON) tests/model/spin.py

demo:
	$(Q)$(PACKAGES) build demo
	$(Q)$(MAKE) --no-print-directory programs
	$(Q)$(PYTHON) tests/demo/demo.py

demo-windows:
	$(Q)$(PACKAGES) build demo windows wine
	$(Q)$(MAKE) --no-print-directory programs windows-tests
	$(Q)$(PYTHON) tests/demo/demo_windows.py

# docs/demo.svg, from a real run of the demo.
picture:
	$(Q)$(PACKAGES) build demo
	$(Q)$(MAKE) --no-print-directory programs
	$(Q)$(PYTHON) tests/demo/record_svg.py docs/demo.svg

bench:
	$(Q)$(PACKAGES) build bench windows wine
	$(Q)$(MAKE) --no-print-directory programs windows-tests
	$(Q)$(PYTHON) tests/bench/bench.py

# Whether what comes first works on a bare Debian 12.
fresh:
	$(Q)$(PACKAGES) fresh
	$(Q)tests/setup/fresh.sh

# FUZZ_SECONDS of each fuzzer; what they find new stays in build/fuzz.
FUZZ_SECONDS ?= 600
FUZZERS := build/fuzz/fuzz_config build/fuzz/fuzz_replies build/fuzz/fuzz_requests
FUZZ_SOURCES := $(call sources,common) $(call sources,pool-config) $(OUT)/obj/profiles.c
# What reads a reply, without what sends a request.
FUZZ_REPLIES := $(filter-out %/client.c %/exchange.c %/request.c,$(wildcard ctl/api/*.c)) \
	ctl/operation/goal.c
FUZZ_REQUESTS := $(filter-out %/token_commands.c,$(wildcard daemon/access/*.c)) daemon/drains/drain.c

build/fuzz/fuzz_config: tests/fuzz/fuzz_config.c $(FUZZ_SOURCES)
build/fuzz/fuzz_replies: tests/fuzz/fuzz_replies.c $(FUZZ_REPLIES) $(FUZZ_SOURCES)
build/fuzz/fuzz_requests: tests/fuzz/fuzz_requests.c $(FUZZ_REQUESTS) $(FUZZ_SOURCES)
$(FUZZERS):
	$(call say,FUZZ,$@)
	$(Q)mkdir -p build/fuzz/found build/fuzz/found-replies build/fuzz/found-requests
	$(Q)clang -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-D_GNU_SOURCE -Icommon -Ipool-config -Ictl -Idaemon -o $@ $^ -lnettle -lyaml -ljansson -lpthread

fuzz:
	$(Q)$(PACKAGES) build clang
	$(Q)$(MAKE) --no-print-directory $(FUZZERS)
	$(Q)build/fuzz/fuzz_config $(FUZZ_FLAGS) build/fuzz/found tests/fuzz/corpus \
		tests/config pool-config/profiles pool-config/examples
	$(Q)build/fuzz/fuzz_replies $(FUZZ_FLAGS) build/fuzz/found-replies tests/fuzz/replies
	$(Q)build/fuzz/fuzz_requests $(FUZZ_FLAGS) build/fuzz/found-requests tests/fuzz/requests

FUZZ_FLAGS = -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 \
	-print_final_stats=1 -artifact_prefix=build/fuzz/

# ---- keeping it in order ----

C_FILES := $(shell find common pool-config daemon ctl tests -name "*.[ch]")

lint:
	$(Q)$(PACKAGES) lint
	$(Q)tests/setup/lint.sh

format:
	$(Q)$(PACKAGES) lint
	$(Q)clang-format -i $(C_FILES)

# Man pages; commands, options, keys and exit codes come from the programs and docs/.
MAN_SOURCES := $(wildcard docs/man/*.[1-8])
MAN_PAGES := $(patsubst docs/man/%,$(OUT)/man/%,$(MAN_SOURCES))

$(MAN_PAGES) &: $(PROGRAMS) $(MAN_SOURCES) docs/man/fill.py docs/api.md docs/install.md
	$(call say,MAN,$(OUT)/man)
	$(Q)$(PACKAGES) demo
	$(Q)$(PYTHON) docs/man/fill.py $(OUT)/poolctl $(OUT)/poold $(OUT)/man

man: $(MAN_PAGES)

# What is installed: MODE:SOURCE:TARGET.
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
UNITDIR ?= $(PREFIX)/lib/systemd/system
DOCDIR := $(PREFIX)/share/doc/poolctl
INSTALLED = 755:$(OUT)/poolctl:$(PREFIX)/bin/poolctl 755:$(OUT)/poold:$(PREFIX)/sbin/poold \
	$(foreach page,$(MAN_PAGES),644:$(page):$(PREFIX)/share/man/man$(patsubst \
		.%,%,$(suffix $(page)))/$(notdir $(page))) \
	644:ctl/completion/bash:$(PREFIX)/share/bash-completion/completions/poolctl \
	644:ctl/completion/zsh:$(ZSHDIR)/_poolctl \
	644:ctl/completion/fish:$(PREFIX)/share/fish/vendor_completions.d/poolctl.fish \
	644:daemon/packaging/poold.service:$(UNITDIR)/poold.service \
	644:daemon/packaging/poold.sysusers:$(PREFIX)/lib/sysusers.d/poold.conf \
	$(foreach file,README.md LICENSE,644:$(file):$(DOCDIR)/$(file)) \
	$(foreach file,$(wildcard pool-config/examples/*.yaml),644:$(file):$(DOCDIR)/$(notdir $(file))) \
	$(foreach file,$(wildcard docs/*.*),644:$(file):$(DOCDIR)/$(file)) \
	$(foreach file,$(wildcard docs/recipes/*),755:$(file):$(DOCDIR)/$(file))

# Each file of the list as $$1, $$2, $$3.
for_installed = $(Q)for file in $(INSTALLED); do IFS=:; set -- $$file; unset IFS; $(1) || exit; done

install: programs man
	$(call say,INSTALL,$(DESTDIR)$(PREFIX))
	$(call for_installed,install -D -m $$1 $$2 "$(DESTDIR)$$3")
	$(Q)sed -i 's,@SBIN@,$(PREFIX)/sbin,' "$(DESTDIR)$(UNITDIR)/poold.service"

# Files of /etc/poolctl and /var/lib/poold stay.
uninstall:
	$(call say,REMOVE,$(DESTDIR)$(PREFIX))
	$(call for_installed,rm -f "$(DESTDIR)$$3")
	$(Q)rmdir $(addprefix "$(DESTDIR)$(DOCDIR)",/docs/recipes /docs "") 2>/dev/null || :

# Packages to install elsewhere, in build/packages.
packages: deb msi sbom

# What the Windows programs are made of.
sbom:
	$(Q)$(PACKAGES) windows demo
	$(Q)$(MAKE) --no-print-directory VARIANT=windows sbom-file

sbom-file: $(PROGRAMS)
	$(call say,SBOM,build/packages)
	$(Q)$(PYTHON) daemon/packaging/sbom.py $(OUT) $(VERSION) $(LIBRARIES)/versions \
		build/packages/poolctl-$(VERSION)-windows.spdx.json poold='$(POOLD_LIBS)' \
		poolctl='$(POOLCTL_LIBS)'

# For Windows Installer.
msi:
	$(Q)$(PACKAGES) windows installer
	$(Q)$(MAKE) --no-print-directory windows
	$(call say,MSI,build/packages)
	$(Q)daemon/packaging/msi.sh build/windows $(VERSION) build/packages/poolctl-$(VERSION)-x64.msi

deb:
	$(Q)$(PACKAGES) build demo packages
	$(call say,DEB,build/packages)
	$(Q)daemon/packaging/deb.sh build/packages

clean:
	$(Q)rm -rf build

help:
	@echo 'make                 build/native/poolctl and build/native/poold'
	@echo 'make windows         build/windows/poolctl.exe and build/windows/poold.exe'
	@echo 'make demo            a drain on three simulated servers, half a minute'
	@echo 'make demo-windows    the same on three Windows servers under Wine'
	@echo 'make picture         the demo as an animated picture, docs/demo.svg'
	@echo 'make check           all tests; the last line counts them'
	@echo 'make fresh           the first commands alone, each on a bare Debian 12; as root'
	@echo 'make check-survive   crashes, faults and interference alone; counts their points'
	@echo 'make check-sessions  what is said about sessions, against the truth; counts samples'
	@echo 'make check-safety    many operators at once, and users meanwhile; counts rounds'
	@echo 'make check-outside   what outsiders tried alone; counts cases and their brothers'
	@echo 'make check-security  every route by every caller, and TLS, alone; counts them'
	@echo 'make model           how drains are reserved, in a larger model than in check'
	@echo 'make bench           figures as ratios, also in build/bench.json'
	@echo 'make fuzz            random files and replies, FUZZ_SECONDS=600'
	@echo 'make forecast-table  whether forecasts come true, for docs/forecast.md'
	@echo 'make lint, format    how the code looks'
	@echo 'make man             the man pages, in build/native/man'
	@echo 'make install, uninstall DESTDIR= PREFIX=/usr/local'
	@echo 'make deb             the Debian packages alone, in build/packages'
	@echo 'make packages        what is installed elsewhere, in build/packages: .deb, .msi, SPDX'
	@echo 'Variables: CC=clang, SANITIZE=address,undefined, V=1 to see the commands'
