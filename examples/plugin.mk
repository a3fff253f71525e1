# SPDX-License-Identifier: MIT-0
# Builds the plugin in this folder against an installed Kiln: make, make check, make install.
NAME   ?= echo
CC     ?= cc
CFLAGS ?= -O2 -g -Wall -Wextra

$(NAME).so: $(wildcard *.c *.h)
	$(CC) -std=c11 $(CFLAGS) $$(pkg-config --cflags kiln-plugin) -o $@ $(filter %.c,$^) $$(pkg-config --libs kiln-plugin)

check: $(NAME).so  ## judges, warms and proves it, without a broker
	kiln check $(CURDIR)/$(NAME).so

install: $(NAME).so
	install -D -m 0755 $(NAME).so $(DESTDIR)$$(pkg-config --variable=plugindir kiln-plugin)/$(NAME).so
