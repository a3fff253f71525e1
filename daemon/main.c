/* SPDX-License-Identifier: MPL-2.0 */
/* kilnd - the worker daemon. The same program is supervisor and worker; see supervisor.h and worker.h. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kiln/version.h>

#include "check.h"
#include "config.h"
#include "log.h"
#include "status.h"
#include "supervisor.h"
#include "worker.h"

#define CONFIG_FILE KILN_SYSCONFDIR "/kiln/kiln.conf" /* where `make install` of this build puts it */

static void help(void)
{
    printf("usage: kilnd [-c FILE]                run the plugins that FILE lists (default " CONFIG_FILE ")\n"
           "       kilnd [-c FILE] --test-config  say whether FILE is right\n"
           "       kilnd --check FILE.so [--json] [--options JSON] [--timeout SECONDS] [--no-sandbox]\n"
           "                                      say whether a plugin is right\n"
           "       kilnd --version | --help\n"
           "\n"
           "SIGHUP reads FILE again and swaps the plugins whose file or settings changed, while they serve.\n"
           "SIGTERM and SIGINT finish running jobs and end it; a second one hastens that.\n"
           "\n"
           "FILE has the group daemon, with these keys and defaults:\n\n");
    daemon_config_help(stdout);
}

static int test(const char *path)
{
    struct daemon_config *config = NULL;
    struct err err;
    if (daemon_config_load(path, &config, &err)) {
        fprintf(stderr, "kilnd: %s\n", err.text);
        return status_exit(err.status);
    }
    for (size_t i = 0; i < config->n_plugins; i++) {
        if (daemon_config_check_file(&config->plugins[i], &err)) {
            fprintf(stderr, "%s: %s\n", path, err.text);
            daemon_config_free(&config);
            return status_exit(err.status);
        }
    }
    printf("%s: ok, %zu plugins\n", path, config->n_plugins);
    daemon_config_free(&config);
    return 0;
}

static int run(const char *path)
{
    struct daemon_config *config = NULL;
    struct err err;
    log_open("kilnd", LOG_LEVEL_INFO);
    if (daemon_config_load(path, &config, &err)) {
        log_error("config_invalid", "error=%s", log_quote(err.text));
        return status_exit(err.status);
    }
    log_open("kilnd", (enum log_level) log_level_parse(config->log_level));
    int status = supervisor_run(path, &config, &err);
    daemon_config_free(&config);
    if (status) {
        log_error("start_failed", "error=%s", log_quote(err.text));
    }
    return status ? status_exit(err.status) : 0;
}

int main(int argc, char **argv)
{
    enum { WORKER = 256, CHECK, TEST, VERSION };
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"worker", no_argument, NULL, WORKER},
                                            {"check", optional_argument, NULL, CHECK},
                                            {"test-config", no_argument, NULL, TEST},
                                            {"version", no_argument, NULL, VERSION},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *path = CONFIG_FILE;
    bool only_test = false;
    for (int got; (got = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        switch (got) {
        case 'c':
            path = optarg;
            break;
        case WORKER:
            return worker_main();
        case CHECK:
            return check_main(argc, argv);
        case TEST:
            only_test = true;
            break;
        case VERSION:
            printf("kilnd %s (protocol %d)\n", KILN_VERSION, KILN_PROTOCOL);
            return 0;
        case 'h':
            help();
            return 0;
        default:
            fprintf(stderr, "kilnd --help lists the options\n");
            return status_exit(KILN_INVALID);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "kilnd: argument \"%s\" is not expected; kilnd --help lists the options\n",
                argv[optind]);
        return status_exit(KILN_INVALID);
    }
    return only_test ? test(path) : run(path);
}
