/* SPDX-License-Identifier: MPL-2.0 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "clock.h"
#include "denials.h"
#include "engine.h"
#include "json.h"
#include "log.h"
#include "mem.h"
#include "sandbox.h"
#include "scan.h"

enum { TIMEOUT_S = 20, MOST_TIMEOUT_S = 3600, REPORT_BYTES = 16 * 1024 * 1024 };

/* Shared with the child: what it is doing. */
struct watched {
    _Atomic uint32_t turn; /* grows with each step */
    char step[256];
};

struct check {
    const char *path;
    bool json;
    int timeout_s;
    bool open;          /* no sandbox */
    struct buf options; /* msgpack; empty when none were given */
    struct watched *watched;
    struct buf report; /* what the child sent */
    struct denials denials;
    char problem[600]; /* how the child ended, when not well; else "" */
};

static void on_step(void *arg, const char *what)
{
    struct watched *w = arg;
    snprintf(w->step, sizeof w->step, "%s", what);
    atomic_fetch_add(&w->turn, 1);
}

/* As a worker does: one thread, within the same walls. What needs to be open is. */
static void close_sandbox(const struct check *c, int control)
{
    struct note note = {.kind = CHANNEL_WALLED};
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    setenv("OMP_NUM_THREADS", "1", 1);
    dup2(control, CHANNEL_FD); /* the only one to send over within walls */
    close(control);
    int listener = sandbox_close(!c->open);
    if (listener >= 0) {
        channel_send_fd(CHANNEL_FD, &note, listener);
        close(listener);
    }
    close(CHANNEL_FD);
}

static _Noreturn void child(const struct check *c, int to_parent, int control)
{
    struct buf out;
    struct rlimit no_core = {0};
    for (int sig = 1; sig < NSIG; sig++) {
        signal(sig, SIG_DFL); /* a crash ends it, whoever handles signals in the parent */
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);   /* a plugin that hangs does not outlive the question */
    setrlimit(RLIMIT_CORE, &no_core);   /* crashes are expected here */
    dup2(STDERR_FILENO, STDOUT_FILENO); /* what a plugin prints must not mix with the report */
    log_open("kilnd-check", LOG_LEVEL_WARNING);
    buf_init(&out, REPORT_BYTES);
    engine_on_step(on_step, c->watched);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    to_parent = fcntl(to_parent, F_DUPFD_CLOEXEC, CHANNEL_FD + 1);
    control = fcntl(control, F_DUPFD_CLOEXEC, CHANNEL_FD + 1);
    close_sandbox(c, control);
    check_child(c->path, c->options.bytes ? c->options.data : NULL, c->options.bytes, &out);
    for (size_t at = 0; at < out.bytes;) {
        ssize_t n = write(to_parent, out.data + at, out.bytes - at);
        if (n < 0 && errno != EINTR) {
            _exit(3);
        }
        at += n > 0 ? (size_t) n : 0;
    }
    buf_done(&out);
    _exit(0);
}

/* The listener of the child's walls, which it sends first. */
static void take_listener(struct check *c, int *control)
{
    struct note note;
    int got = channel_recv_fd(*control, &note, &c->denials.fd);
    if (got) {
        close(*control);
        *control = -1;
    }
}

/* Reads the report until the child closes its end, or makes no step for too long. False when it hangs. */
static bool listen_to(struct check *c, int from_child, int *control)
{
    uint32_t turn = 0;
    int64_t since = clock_ns();
    for (;;) {
        struct pollfd p[3] = {{.fd = from_child, .events = POLLIN},
                              {.fd = *control, .events = POLLIN},
                              {.fd = c->denials.fd, .events = POLLIN}};
        poll(p, 3, 50);
        if (p[1].revents) {
            take_listener(c, control);
        }
        if (p[2].revents) {
            denials_take(&c->denials);
        }
        if (p[0].revents) {
            uint8_t *room = buf_reserve(&c->report, 65536);
            ssize_t n = room ? read(from_child, room, 65536) : 0;
            if (n <= 0 && !(n < 0 && errno == EINTR)) {
                return true;
            }
            c->report.bytes += n > 0 ? (size_t) n : 0;
        }
        uint32_t now = atomic_load(&c->watched->turn);
        if (now != turn) {
            turn = now;
            since = clock_ns();
        } else if (clock_ns() - since > c->timeout_s * CLOCK_S) {
            return false;
        }
    }
}

static void explain(struct check *c, bool hung, int status)
{
    const char *step = c->watched->step[0] ? c->watched->step : "starting";
    if (hung) {
        snprintf(c->problem, sizeof c->problem, "it hangs: nothing happened for %d s (%s)", c->timeout_s,
                 step);
    } else if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        snprintf(c->problem, sizeof c->problem, "it crashes with SIG%s, %s (%s)", name ? name : "?",
                 strsignal(WTERMSIG(status)), step);
    } else if (WEXITSTATUS(status) != 0 || c->report.bytes == 0) {
        snprintf(c->problem, sizeof c->problem, "it ends the process, with exit status %d (%s)",
                 WEXITSTATUS(status), step);
    } else if (scan_check(c->report.data, c->report.bytes,
                          &(struct scan_limits){.depth = 16, .items = UINT32_MAX}, NULL)) {
        snprintf(c->problem, sizeof c->problem, "its report is damaged (%s)", step);
    }
}

static int try_it(struct check *c)
{
    int ends[2], control[2];
    c->watched = mmap(NULL, sizeof *c->watched, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c->watched == MAP_FAILED || pipe2(ends, O_CLOEXEC) != 0 || channel_pair(control) != 0) {
        perror("kilnd --check");
        return 1;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        perror("kilnd --check: fork");
        return 1;
    }
    if (pid == 0) {
        close(ends[0]);
        close(control[0]);
        child(c, ends[1], control[1]);
    }
    close(ends[1]);
    close(control[1]);
    bool hung = !listen_to(c, ends[0], &control[0]);
    if (hung) {
        kill(pid, SIGKILL);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    close(ends[0]);
    if (control[0] >= 0) {
        close(control[0]);
    }
    denials_done(&c->denials);
    explain(c, hung, status);
    return 0;
}

/* ---- telling --------------------------------------------------------------------------------- */

/* The value of a key in the report's outermost map, or in another map whose pairs begin at `map`. */
static bool member(struct scan map, const char *key, struct scan *ret_value)
{
    struct token t;
    if (!scan_next(&map, &t) || t.type != SCAN_MAP) {
        return false;
    }
    for (uint32_t i = 0, n = t.count; i < n; i++) {
        if (!scan_next(&map, &t)) {
            return false;
        }
        if (t.type == SCAN_STR && t.count == strlen(key) && memcmp(t.text, key, t.count) == 0) {
            *ret_value = map;
            return true;
        }
        if (!scan_skip(&map)) {
            return false;
        }
    }
    return false;
}

static double number(struct scan map, const char *key)
{
    struct scan s;
    struct token t;
    return member(map, key, &s) && scan_next(&s, &t) && (t.type == SCAN_FLOAT || t.type == SCAN_INT) ? t.f
                                                                                                     : 0;
}

static void text(struct scan map, const char *key, char *out, size_t bytes)
{
    struct scan s;
    struct token t;
    out[0] = '\0';
    if (member(map, key, &s) && scan_next(&s, &t) && t.type == SCAN_STR) {
        snprintf(out, bytes, "%.*s", (int) t.count, t.text);
    }
}

static uint32_t list(struct scan map, const char *key, struct scan *ret_items)
{
    struct token t;
    return member(map, key, ret_items) && scan_next(ret_items, &t) && t.type == SCAN_LIST ? t.count : 0;
}

static uint32_t print_texts(struct scan report, const char *key, const char *prefix)
{
    struct scan items;
    uint32_t n = list(report, key, &items);
    for (uint32_t i = 0; i < n; i++) {
        struct token t;
        if (scan_next(&items, &t) && t.type == SCAN_STR) {
            printf("%s: %.*s\n", prefix, (int) t.count, t.text);
        }
    }
    return n;
}

static void print_figures(struct scan report, const char *plugin)
{
    struct scan figures, functions;
    if (!member(report, "report", &figures)) {
        return;
    }
    printf("  load %.0f us, init %.0f us, %.1f MiB resident\n", number(figures, "load_us"),
           number(figures, "init_us"), number(figures, "rss_bytes") / 1048576.0);
    uint32_t n = list(figures, "functions", &functions);
    for (uint32_t i = 0; i < n; i++) {
        char name[80];
        struct scan batches;
        text(functions, "name", name, sizeof name);
        printf("  %s.%-24s cold %9.1f us   warm %9.2f us   x%.1f", plugin, name, number(functions, "cold_us"),
               number(functions, "warm_us"), number(functions, "ratio"));
        uint32_t k = list(functions, "batches", &batches);
        for (uint32_t b = 0; b < k; b++) {
            printf("%s%.0f: %.1f us", b ? ", " : "   batch ", number(batches, "n"), number(batches, "us"));
            scan_skip(&batches);
        }
        printf("\n");
        scan_skip(&functions);
    }
}

static void print_options(struct scan report)
{
    struct scan rows;
    uint32_t n = list(report, "options", &rows);
    for (uint32_t i = 0; i < n; i++) {
        char name[100], kind[20], fallback[100], choices[200], help[300], range[80] = "";
        struct scan bound;
        text(rows, "name", name, sizeof name);
        text(rows, "kind", kind, sizeof kind);
        text(rows, "default", fallback, sizeof fallback);
        text(rows, "choices", choices, sizeof choices);
        text(rows, "help", help, sizeof help);
        bool least = member(rows, "min", &bound), most = member(rows, "max", &bound);
        if (least || most) {
            char from[32] = "", to[32] = "";
            if (least) {
                snprintf(from, sizeof from, "%.15g", number(rows, "min"));
            }
            if (most) {
                snprintf(to, sizeof to, "%.15g", number(rows, "max"));
            }
            snprintf(range, sizeof range, " %s..%s", from, to);
        }
        printf("  option %s: %s%s%s%s%s%s%s%s\n", name, kind, range, choices[0] ? " " : "", choices,
               fallback[0] ? ", default " : "", fallback, help[0] ? ". " : "", help);
        scan_skip(&rows);
    }
}

static void print_denials(const struct denials *d)
{
    char name[DENIALS_NAME_BYTES];
    for (size_t i = 0; i < d->n_calls; i++) {
        printf("denied: %s, %llu times: no plugin may, unless its configuration says sandbox = false\n",
               denials_name(d->calls[i].call, name), (unsigned long long) d->calls[i].n);
    }
}

static int tell(const struct check *c)
{
    struct scan report = scan_over(c->report.data, c->report.bytes);
    uint32_t problems = c->problem[0] != '\0';
    char plugin[80] = "", version[80], summary[200];
    if (!problems) {
        text(report, "plugin", plugin, sizeof plugin);
        text(report, "version", version, sizeof version);
        text(report, "summary", summary, sizeof summary);
        if (plugin[0]) {
            printf("%s %s: %s\n", plugin, version, summary);
        }
        print_options(report);
        print_figures(report, plugin);
        problems = print_texts(report, "problems", "problem");
        print_texts(report, "hints", "hint");
    } else {
        printf("problem: %s\n", c->problem);
    }
    print_denials(&c->denials);
    printf("%s: %s\n", c->path, problems ? "NOT fit to serve" : "ok");
    return problems ? 1 : 0;
}

static void put_denials(struct buf *b, const struct denials *d)
{
    char name[DENIALS_NAME_BYTES];
    buf_put_str_const(b, "denied");
    buf_put_map(b, (uint32_t) d->n_calls);
    for (size_t i = 0; i < d->n_calls; i++) {
        buf_put_text(b, denials_name(d->calls[i].call, name));
        buf_put_u64(b, d->calls[i].n);
    }
}

static int tell_json(const struct check *c)
{
    struct buf all, out;
    struct err err;
    struct scan report = scan_over(c->report.data, c->report.bytes), items;
    buf_init(&all, 0);
    buf_init(&out, 0);
    bool ok = c->problem[0] == '\0' && list(report, "problems", &items) == 0;
    struct token t = {.count = 0};
    struct scan pairs = report;
    bool whole = c->problem[0] == '\0' && scan_next(&pairs, &t) && t.type == SCAN_MAP;
    buf_put_map(&all, 3 + (whole ? t.count : 1));
    put_denials(&all, &c->denials);
    buf_put_str_const(&all, "file");
    buf_put_text(&all, c->path);
    buf_put_str_const(&all, "ok");
    buf_put_bool(&all, ok);
    if (whole) {
        buf_put_raw(&all, pairs.at, (size_t) (pairs.end - pairs.at));
    } else {
        buf_put_str_const(&all, "problems");
        buf_put_list(&all, 1);
        buf_put_text(&all, c->problem);
    }
    if (json_from_msgpack(all.data, all.bytes, JSON_STYLE_PRETTY, &out, &err)) {
        fprintf(stderr, "kilnd --check: %s\n", err.text);
        ok = false;
    } else {
        printf("%.*s\n", (int) out.bytes, (const char *) out.data);
    }
    buf_done(&all);
    buf_done(&out);
    return ok ? 0 : 1;
}

static int usage(const char *why, const char *what)
{
    fprintf(stderr,
            "kilnd --check: %s%s\nusage: kilnd --check FILE.so [--json] [--options JSON] [--timeout SECONDS] "
            "[--no-sandbox]\n",
            why, what);
    return 1;
}

int check_main(int argc, char **argv)
{
    struct check c = {.timeout_s = TIMEOUT_S, .denials = {.fd = -1}};
    struct err err;
    buf_init(&c.options, 0);
    buf_init(&c.report, REPORT_BYTES);
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(a, "--check") == 0) {
            continue;
        }
        if (strcmp(a, "--json") == 0) {
            c.json = true;
        } else if (strcmp(a, "--no-sandbox") == 0) {
            c.open = true;
        } else if (strcmp(a, "--options") == 0 && value) {
            if (json_to_msgpack(value, strlen(value), NULL, &c.options, &err)) {
                buf_done(&c.options);
                return usage("--options: ", err.text);
            }
            i++;
        } else if (strcmp(a, "--timeout") == 0 && value) {
            char *end;
            long v = strtol(value, &end, 10);
            if (*end || v < 1 || v > MOST_TIMEOUT_S) {
                return usage("--timeout takes 1..3600 seconds, not ", value);
            }
            c.timeout_s = (int) v;
            i++;
        } else if (strncmp(a, "--check=", 8) == 0 && !c.path) {
            c.path = a + 8;
        } else if (a[0] == '-' || c.path) {
            return usage("argument not expected: ", a);
        } else {
            c.path = a;
        }
    }
    if (!c.path) {
        return usage("which file?", "");
    }
    int rc = try_it(&c);
    if (rc == 0) {
        rc = c.json ? tell_json(&c) : tell(&c);
    }
    if (c.watched && c.watched != MAP_FAILED) {
        munmap(c.watched, sizeof *c.watched);
    }
    buf_done(&c.options);
    buf_done(&c.report);
    return rc;
}
