/* SPDX-License-Identifier: MPL-2.0 */
/* kiln-broker - queues jobs, leases them to workers, hands back results. docs/PROTOCOL.md, docs/ARCHITECTURE.md. */
#include <getopt.h>
#include <sched.h>
#include <sys/signalfd.h>

#include <kiln/version.h>

#include "broker.h"
#include "clock.h"
#include "log.h"
#include "status.h"

/* Where `make install` of this build puts it. */
static const char *const default_path = KILN_SYSCONFDIR "/kiln/kiln.conf";

static void usage(FILE *out)
{
    fprintf(out,
            "usage: kiln-broker [-c FILE] [--test-config] [--help] [--version]\n\n"
            "  -c, --config FILE   configuration (default %s; its absence means all defaults)\n"
            "  --test-config       read it, say whether it is good, and leave\n\n"
            "SIGHUP reads FILE again, SIGTERM and SIGINT answer who waits and end it.\n\n"
            "The group of kiln.conf that it reads, with defaults:\n\n",
            default_path);
    config_help(out);
}

static void stay_on(const struct conf_ints *cpus)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (size_t i = 0; i < cpus->n; i++) {
        CPU_SET((size_t) cpus->items[i], &set);
    }
    if (cpus->n && sched_setaffinity(0, sizeof set, &set)) {
        log_warning("cpus_refused", "error=%s", log_quote(strerror(errno)));
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"test-config", no_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {0},
    };
    const char *path = NULL;
    bool test = false;
    for (int c; (c = getopt_long(argc, argv, "c:hv", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            path = optarg;
            break;
        case 't':
            test = true;
            break;
        case 'h':
            usage(stdout);
            return 0;
        case 'v':
            puts("kiln-broker " KILN_VERSION);
            return 0;
        default:
            usage(stderr);
            return 2;
        }
    }
    if (optind < argc) {
        usage(stderr);
        return 2;
    }
    if (!path && access(default_path, R_OK) == 0) {
        path = default_path;
    }
    struct config config;
    struct err err = {0};
    log_open("kiln-broker", LOG_LEVEL_INFO);
    if (config_load(path, &config, &err)) {
        log_error("config_invalid", "error=%s", log_quote(err.text));
        return status_exit(KILN_INVALID);
    }
    if (test) {
        printf("%s: ok\n", path ? path : "defaults");
        config_done(&config);
        return 0;
    }
    log_open("kiln-broker", (enum log_level) log_level_parse(config.log_level));
    /* Before any thread is made, so that every thread has them blocked; libzmq and CZMQ install none of their own. */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    stay_on(&config.cpus);
    zsys_init();
    zsys_handler_set(NULL);
    struct broker b;
    if (broker_open(&b, &config, &err)) {
        log_error("start_failed", "error=%s", log_quote(err.text));
        return 1;
    }
    log_info("ready", "version=%s frontend=%s backend=%s journal=%s", KILN_VERSION,
             b.config.frontend.items[0], b.config.backend.items[0], b.journal_driver->name);
    service_begin(&b, path);
    broker_run(&b, signal_fd);
    service_end(&b);
    log_info("stopping", "jobs_ended=%llu", (unsigned long long) b.counters.jobs_ended);
    broker_close(&b);
    zsys_shutdown();
    close(signal_fd);
    return 0;
}
