/* SPDX-License-Identifier: MPL-2.0 */
/* channel - what a supervisor and one of its workers say to each other.
 *
 * A SOCK_SEQPACKET pair: one message is one packet, and the end of either process is end of file at the other. Both ends
 * are the same binary, so a packet is a plain structure. The supervisor speaks first (the order to work), later
 * perhaps CHANNEL_GO, CHANNEL_SERVE and CHANNEL_DRAIN; the worker tells what became of it in notes. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config.h"
#include "curve.h"
#include "err.h"

/* Where a worker finds its two inherited descriptors. */
enum { CHANNEL_FD = 3, CHANNEL_BOARD_FD = 4 };

enum channel_kind {
    CHANNEL_ORDER = 1,  /* supervisor: struct order */
    CHANNEL_DRAIN,      /* supervisor: take no more, finish, leave */
    CHANNEL_GO,         /* supervisor: one that was held back may offer itself to the broker now */
    CHANNEL_PROVEN,     /* worker: loaded, warmed, proven */
    CHANNEL_REGISTERED, /* worker: the broker welcomed it */
    CHANNEL_LOST,       /* worker: the broker does not answer */
    CHANNEL_REFUSED,    /* worker: why it cannot serve, and would not if tried again; it exits */
    CHANNEL_WALLED,     /* worker: with the listener of its walls; before it maps plugin code */
    CHANNEL_LEAVING,    /* worker: the broker told it to stop; it drains and exits */
    CHANNEL_SERVE,      /* supervisor: the trial is passed, serve like any other */
    CHANNEL_SERVING,    /* worker: so it is, the broker knows */
    CHANNEL_COMPARED,   /* worker: what became of one copy */
};

/* The first packet: everything a worker must know. Followed in the packet by options_bytes of msgpack. */
struct order {
    uint32_t kind; /* CHANNEL_ORDER */
    uint32_t slot, slots_of_board;
    uint32_t log_level;
    int32_t supervisor_pid;
    int32_t nice;
    uint32_t held;    /* once proven, wait for CHANNEL_GO; until then stand back behind those that work */
    uint32_t sandbox; /* walls and fence around plugin code */
    uint32_t trial;   /* enum trial_kind: how it offers itself to the broker */
    uint32_t impure;  /* shadow: functions that are not pure are tried too */
    uint64_t share_permille; /* canary */
    uint64_t copies;         /* shadow: as many are this worker's */
    uint64_t generation;
    int64_t job_slots; /* most jobs held: the credit */
    struct plugin_limits limits;
    char plugin[CONFIG_NAME_BYTES];
    char wid[3 * CONFIG_NAME_BYTES];
    char node[CONFIG_NAME_BYTES];
    char node_session[33];
    char broker[256];
    struct curve_keys keys; /* for it; on the channel and not on the command line, which everybody can read */
    char build[40];
    char path[1280];
    uint8_t cpus[CONFIG_CPUS / 8]; /* bit set; all zero: any */
    uint32_t options_bytes;
};

/* Every other packet. */
struct note {
    uint32_t kind;
    int32_t status;  /* CHANNEL_REFUSED */
    int64_t load_ns; /* CHANNEL_PROVEN */
    int64_t prove_ns;
    uint32_t functions;
    uint32_t eligible; /* CHANNEL_PROVEN: functions that a shadow may run */
    bool differs, timed;
    int64_t was_ns,
        run_ns; /* CHANNEL_COMPARED: how long the serving worker ran the job, and this one; when timed */
    char version[64];
    char function[CONFIG_NAME_BYTES * 2];
    char text[512]; /* CHANNEL_REFUSED: the sentence; CHANNEL_COMPARED: the difference */
};

/* A connected pair, both ends closed on exec and not blocking; -1 with errno. */
int channel_pair(int ret_ends[2]);

bool channel_send_order(int fd, const struct order *order, const void *options);
/* Waits. False when the other end is gone or the packet is none. The options are the caller's (mem_free). */
bool channel_recv_order(int fd, struct order *ret_order, void **ret_options);

bool channel_send(int fd, const struct note *note);
/* 1: a note; 0: nothing there now; -1: the other end is gone. */
int channel_recv(int fd, struct note *ret_note);

/* The same with a descriptor, which both sides then have; *ret_passed is -1 when none came. */
bool channel_send_fd(int fd, const struct note *note, int passed);
int channel_recv_fd(int fd, struct note *ret_note, int *ret_passed);

#endif
