# Settings of the build. Each may be given on the command line: make CC=clang MODE=asan DEVELOPER=1
MODE      ?= release
DEVELOPER ?= 0
PREFIX    ?= /usr/local
DESTDIR   ?=
BINDIR     = $(PREFIX)/bin
SBINDIR    = $(PREFIX)/sbin
LIBDIR     = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
PLUGINDIR  = $(LIBDIR)/kiln/plugins
DATADIR    = $(PREFIX)/share/kiln
DOCDIR     = $(PREFIX)/share/doc/kiln
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
UNITDIR    = $(LIBDIR)/systemd/system
VERSION   := $(shell sed -n 's/^.define KILN_VERSION  *"\(.*\)"/\1/p' include/kiln/version.h)

CC     ?= cc
ifeq ($(MODE),fuzz)
override CC = clang # libFuzzer is its
endif
PYTHON ?= /usr/bin/python3
PKG    ?= pkg-config

# Debian packages: to build and run the demo; further ones to run every test.
DEPS_BUILD = build-essential pkg-config libzmq3-dev libczmq-dev libmsgpack-dev libopenblas-dev libconfig-dev \
             libjansson-dev libsodium-dev libfftw3-dev libseccomp-dev libprotobuf-c-dev protobuf-c-compiler python3
DEPS_CHECK = $(DEPS_BUILD) clang iproute2 libclang-rt-dev libcmocka-dev python3-pytest python3-zmq python3-msgpack python3-numpy python3-scipy python3-pandas python3-mpmath \
             libzmq-ffi-perl libdata-messagepack-perl nodejs npm systemd systemd-container minisign \
             libonnx-testdata python3-onnx python3-sklearn
DEPS_BENCH = $(DEPS_BUILD) python3-msgpack python3-numpy python3-scipy python3-pandas python3-numba python3-bottleneck

# The pkg-config name of msgpack-c changed over time.
MSGPACK := $(firstword $(foreach n,msgpack-c msgpack,$(shell $(PKG) --exists $(n) 2>/dev/null && echo $(n))))
MSGPACK_LIBS := $(if $(MSGPACK),$(shell $(PKG) --libs $(MSGPACK)),-lmsgpackc)

LIBS_broker = -lczmq -lzmq $(MSGPACK_LIBS) -lconfig -lm
LIBS_daemon = -lczmq -lzmq $(MSGPACK_LIBS) -lconfig -ljansson -lsodium -lseccomp -ldl -lm
LIBS_cli    = -lzmq $(MSGPACK_LIBS) -ljansson -lm
LIBS_client = -lzmq $(MSGPACK_LIBS)

# What each plugin links beside libm.
LIBS_plugin_stats = -lopenblas -lfftw3
LIBS_plugin_inference = -lprotobuf-c -ljansson

WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings \
           -Wvla -Wformat=2 -Wundef -Wno-missing-field-initializers \
           $(if $(findstring clang,$(CC)),,-Wno-format-truncation) # texts are cut to fit on purpose
ifeq ($(DEVELOPER),1)
WARNINGS += -Werror -Wconversion -Wno-sign-conversion -Wdouble-promotion
endif

CFLAGS_release = -O2 -g
CFLAGS_asan    = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
CFLAGS_tsan    = -O1 -g -fno-omit-frame-pointer -fsanitize=thread
CFLAGS_fuzz    = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined
LDFLAGS_release = -Wl,-O1
LDFLAGS_asan    = -fsanitize=address,undefined
LDFLAGS_tsan    = -fsanitize=thread
LDFLAGS_fuzz    = -fsanitize=address,undefined

ifeq ($(filter $(MODE),release asan tsan fuzz),)
$(error MODE is "$(MODE)", expected release, asan, tsan or fuzz)
endif

# Kernels may assume that nobody reads errno or traps; they may not reorder sums unless a file asks for it.
CFLAGS_plugin = -O3 -fno-math-errno -fno-trapping-math -fvisibility=hidden
DEFS_plugin   = $(if $(filter release,$(MODE)),-Wl$(comma)-z$(comma)defs)
comma = ,
