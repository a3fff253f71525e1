/* SPDX-License-Identifier: MPL-2.0 */
/* The engine against real shared objects: plugins/echo, and the misbehaving ones of tests/plugins.
 * KILN_BUILD says where they were built (default build/release). */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "daemon/check.h"
#include "daemon/engine.h"
#include "daemon/golden.h"
#include "pack.h"
#include "scan.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static const struct engine_limits limits = {.job_bytes = 8 << 20, .payload_bytes = 4 << 20, .max_batch = 64};

static const char *path_of(const char *name)
{
    static char path[400];
    const char *build = getenv("KILN_BUILD");
    build = build ? build : "build/release";
    snprintf(path, sizeof path, "%s/%s/%s.so", build, strcmp(name, "echo") == 0 ? "plugins" : "tests/plugins",
             name);
    return path;
}

static struct engine *load(const char *name, const char *options)
{
    struct engine *e = NULL;
    struct err err = {0};
    struct buf o = pack(options ? options : "{}");
    if (engine_load(path_of(name), options ? o.data : NULL, o.bytes, &limits, &e, &err)) {
        fail_msg("%s: %s", name, err.text);
    }
    buf_done(&o);
    return e;
}

/* Runs one job given as JSON; *job keeps the answer. */
static int run(struct engine *e, const char *fn, const char *json, struct engine_job *job)
{
    struct buf b = pack(json);
    int at = engine_find(e, fn, strlen(fn));
    assert_true(at >= 0);
    *job = (struct engine_job){.payload = b.data, .payload_bytes = b.bytes};
    engine_run(e, (size_t) at, job, 1, false, NULL);
    buf_done(&b); /* the answer points into the engine only */
    return job->status;
}

static const char *answer(const struct engine_job *job)
{
    return unpack(job->result, job->result_bytes);
}

static void expect_no_load(const char *name, int status, const char *text)
{
    struct engine *e = NULL;
    struct err err = {0};
    assert_int_equal(engine_load(path_of(name), NULL, 0, &limits, &e, &err), status);
    assert_null(e);
    if (!strstr(err.text, text)) {
        fail_msg("%s: \"%s\", expected \"%s\"", name, err.text, text);
    }
}

static void expect_no_proof(const char *name, const char *text)
{
    struct engine *e = load(name, NULL);
    struct err err = {0};
    assert_int_equal(engine_prove(e, true, &err), KILN_INTERNAL);
    assert_string_equal(err.text, text);
    engine_free(&e);
    assert_null(e);
}

/* ---- echo ------------------------------------------------------------------------------------ */

static void echo_gives_back(void **state)
{
    (void) state;
    struct engine *e = load("echo", NULL);
    struct engine_job job;
    assert_string_equal(engine_name(e), "echo");
    assert_int_equal(engine_functions(e), 4);
    assert_int_equal(engine_find(e, "nothing", 7), -1);
    assert_int_equal(engine_find(e, "echoes", 4), engine_find(e, "echo", 4));
    assert_int_equal(run(e, "echo", "{\"data\":\"k\\u00e4se\"}", &job), KILN_OK);
    assert_string_equal(answer(&job), "{\"data\":\"k\xc3\xa4se\"}");
    assert_int_equal(((const uint8_t *) job.result)[6], 0xc4); /* bin, also for a string */
    assert_true(job.decode_ns > 0 && job.run_ns > 0 && job.encode_ns > 0 && job.batch == 1);
    assert_int_equal(run(e, "scale", "{\"x\":[1,2,null]}", &job), KILN_OK);
    assert_string_equal(answer(&job), "{\"y\":[2.0,4.0,null]}");
    assert_int_equal(run(e, "repeat", "{\"x\":[1.5],\"times\":3}", &job), KILN_OK);
    assert_string_equal(answer(&job), "{\"y\":[1.5,1.5,1.5]}");
    assert_int_equal(run(e, "repeat", "{\"x\":[],\"times\":3}", &job), KILN_OK);
    assert_string_equal(answer(&job), "{\"y\":[]}");
    assert_int_equal(run(e, "sleep", "{\"ms\":1}", &job), KILN_OK);
    assert_true(job.run_ns >= CLOCK_MS);
    assert_int_equal(run(e, "echo", "{}", &job), KILN_INVALID);
    assert_string_equal(job.field, "data");
    assert_null(job.result);
    engine_free(&e);
}

static void echo_is_proven(void **state)
{
    (void) state;
    struct engine *e = load("echo", NULL);
    struct err err = {0};
    size_t bytes = 1;
    assert_null(engine_report(e, &bytes));
    int64_t begin = clock_ns();
    if (engine_prove(e, true, &err)) {
        fail_msg("%s", err.text);
    }
    int64_t took = clock_ns() - begin;
    if (!SANITIZED) {
        assert_true(took < 50 * CLOCK_MS); /* a few ms when nothing else runs */
    }
    for (size_t i = 0; i < engine_functions(e); i++) {
        assert_true(engine_function_warm_ns(e, i) > 0);
        assert_int_equal(engine_function_max_batch(e, i), i == 0 ? 64 : 1);
        const void *contract = engine_contract(e, i, &bytes);
        assert_int_equal(scan_check(contract, bytes, &(struct scan_limits){8, 100000}, NULL), 0);
    }
    const void *contract = engine_contract(e, 1, &bytes);
    const char *text = unpack(contract, bytes);
    assert_non_null(strstr(text, "{\"name\":\"scale\",\"plugin\":\"echo\",\"version\":\"1.0.0\""));
    assert_non_null(strstr(text, "\"flags\":[\"pure\"]"));
    assert_non_null(strstr(
        text,
        "{\"name\":\"k\",\"kind\":\"float\",\"finite\":true,\"default\":\"2.0\",\"help\":\"The factor\"}"));
    assert_non_null(strstr(text, "{\"title\":\"empty\",\"args\":\"{\\\"x\\\":[]}\",\"result\":\"x is "
                                 "empty\",\"status\":\"invalid\"}"));
    const void *report = engine_report(e, &bytes);
    assert_int_equal(scan_check(report, bytes, &(struct scan_limits){8, 100000}, NULL), 0);
    text = unpack(report, bytes);
    assert_non_null(strstr(text, "\"functions\":[{\"name\":\"echo\",\"cold_us\":"));
    assert_non_null(strstr(text, "{\"n\":64,\"us\":"));
    engine_free(&e);
}

static void options_are_judged(void **state)
{
    (void) state;
    struct engine *e = load("echo", "{\"most_ms\":5}");
    struct engine_job job;
    assert_int_equal(run(e, "sleep", "{\"ms\":6}", &job), KILN_INVALID);
    assert_string_equal(job.error, "ms is 6, expected at most 5 (option most_ms)");
    assert_string_equal(job.field, "ms");
    engine_free(&e);
    static const char *const bad[][2] = {
        {"{\"most_ms\":-1}", "options of plugin echo: most_ms is -1, expected 0..60000"},
        {"{\"slice_ms\":\"x\"}", "options of plugin echo: slice_ms is \"x\", expected a whole number"},
        {"{\"bogus\":1}",
         "options of plugin echo: unknown argument \"bogus\", expected one of slice_ms, most_ms"},
    };
    for (int i = 0; i < 3; i++) {
        struct buf o = pack(bad[i][0]);
        struct err err = {0};
        assert_int_equal(engine_load(path_of("echo"), o.data, o.bytes, &limits, &e, &err), KILN_INVALID);
        assert_string_equal(err.text, bad[i][1]);
        buf_done(&o);
    }
}

/* ---- batches, watching ----------------------------------------------------------------------- */

struct seen {
    size_t entered, left, calls;
    size_t jobs[128];
    int cancel;
    double progress;
};

static void on_enter(void *arg, size_t first, size_t count)
{
    struct seen *s = arg;
    s->calls++;
    s->entered += count;
    for (size_t i = first; i < first + count; i++) {
        s->jobs[i]++;
    }
}

static void on_leave(void *arg, size_t first, size_t count)
{
    struct seen *s = arg;
    (void) first;
    s->left += count;
}

static int on_cancelled(void *arg, size_t index)
{
    struct seen *s = arg;
    return s->cancel && index == 0;
}

static void on_progress(void *arg, size_t index, double fraction)
{
    struct seen *s = arg;
    assert_int_equal(index, 0);
    s->progress = fraction;
}

static void batches_keep_their_members_apart(void **state)
{
    (void) state;
    struct engine *e = load("echo", NULL);
    size_t fn = (size_t) engine_find(e, "echo", 4);
    enum { N = 100 };
    struct buf payloads[N];
    struct engine_job jobs[N] = {0};
    for (size_t i = 0; i < N; i++) {
        char json[64];
        snprintf(json, sizeof json, i % 10 == 3 ? "{\"date\":\"%zu\"}" : "{\"data\":\"job %zu\"}", i);
        payloads[i] = pack(json);
        jobs[i].payload = payloads[i].data;
        jobs[i].payload_bytes = payloads[i].bytes;
    }
    for (int solo = 0; solo < 2; solo++) {
        struct seen seen = {0};
        const struct engine_watch watch = {.enter = on_enter, .leave = on_leave, .arg = &seen};
        engine_run(e, fn, jobs, N, solo, &watch);
        assert_int_equal(seen.calls, solo ? 90 : 2); /* 64 + 36; refused ones are not entered alone */
        assert_int_equal(seen.entered, seen.left);
        for (size_t i = 0; i < N; i++) {
            if (i % 10 == 3) {
                assert_int_equal(jobs[i].status, KILN_INVALID);
                assert_string_equal(jobs[i].error, "unknown argument \"date\", expected one of data");
                continue;
            }
            char expected[64];
            snprintf(expected, sizeof expected, "{\"data\":\"job %zu\"}", i);
            assert_int_equal(jobs[i].status, KILN_OK);
            assert_string_equal(answer(&jobs[i]), expected);
            assert_int_equal(jobs[i].batch, solo ? 1 : i < 64 ? 57 : 33);
            assert_int_equal(seen.jobs[i], 1);
        }
    }
    for (size_t i = 0; i < N; i++) {
        buf_done(&payloads[i]);
    }
    engine_free(&e);
}

static void long_work_can_be_cancelled(void **state)
{
    (void) state;
    struct engine *e = load("echo", NULL);
    struct seen seen = {.cancel = 1};
    const struct engine_watch watch = {.cancelled = on_cancelled, .progress = on_progress, .arg = &seen};
    struct buf b = pack("{\"ms\":50000}"), c = pack("{\"ms\":5}");
    struct engine_job jobs[2] = {{.payload = b.data, .payload_bytes = b.bytes},
                                 {.payload = c.data, .payload_bytes = c.bytes}};
    engine_run(e, (size_t) engine_find(e, "sleep", 5), jobs, 1, false, &watch);
    assert_int_equal(jobs[0].status, KILN_CANCELLED);
    assert_string_equal(jobs[0].error, "the job was cancelled");
    assert_true(jobs[0].run_ns < 20 * CLOCK_S);
    seen.cancel = 0;
    engine_run(e, (size_t) engine_find(e, "sleep", 5), &jobs[1], 1, false, &watch);
    assert_int_equal(jobs[1].status, KILN_OK);
    assert_true(seen.progress > 0.5 && seen.progress <= 1);
    buf_done(&b);
    buf_done(&c);
    engine_free(&e);
}

static void nothing_is_allocated_in_the_steady_state(void **state)
{
    (void) state;
    struct engine *e = load("echo", NULL);
    struct buf b = pack("{\"x\":[1,2,3,4,5],\"k\":3}");
    struct engine_job jobs[32] = {0};
    for (int i = 0; i < 32; i++) {
        jobs[i].payload = b.data;
        jobs[i].payload_bytes = b.bytes;
    }
    size_t fn = (size_t) engine_find(e, "scale", 5);
    engine_run(e, fn, jobs, 32, false, NULL);
    fault_seen = 0;
    fault_after = 0;
    mem_fault = fault_nth;
    for (int round = 0; round < 100; round++) {
        engine_run(e, fn, jobs, 32, false, NULL);
        assert_int_equal(jobs[31].status, KILN_OK);
    }
    mem_fault = NULL;
    assert_int_equal(fault_seen, 0);
    buf_done(&b);
    engine_free(&e);
}

static void budgets_fail_the_job_only(void **state)
{
    (void) state;
    struct engine *e = load("echo", NULL);
    struct engine_job job;
    assert_int_equal(run(e, "repeat", "{\"x\":[1,2,3,4],\"times\":1000000}", &job), KILN_RESOURCE);
    assert_string_equal(job.error,
                        "the job needs more memory than it may use (8388608 bytes, limits.job_mb)");
    assert_int_equal(run(e, "repeat", "{\"x\":[0.5,2,3,4],\"times\":125000}", &job), KILN_RESOURCE);
    assert_string_equal(job.error, "the result has more than 4194304 bytes, or there is no memory for it");
    assert_int_equal(run(e, "repeat", "{\"x\":[1,2,3,4],\"times\":2}", &job), KILN_OK);
    struct buf big;
    buf_init(&big, 0);
    buf_put_map(&big, 1);
    buf_put_text(&big, "data");
    void *data = calloc(1, 5 << 20);
    buf_put_bin(&big, data, 5 << 20);
    free(data);
    job = (struct engine_job){.payload = big.data, .payload_bytes = big.bytes};
    engine_run(e, 0, &job, 1, false, NULL);
    assert_int_equal(job.status, KILN_INVALID);
    assert_non_null(strstr(job.error, "expected at most 4194304"));
    buf_done(&big);
    engine_free(&e);
}

static void faults_fail_the_job_only(void **state)
{
    (void) state;
    struct buf b = pack("{\"x\":[1,2,3],\"times\":2000}");
    bool survived = false;
    for (long n = 0; n < 40 && !survived; n++) {
        struct engine *e = load("echo", NULL);
        struct engine_job job = {.payload = b.data, .payload_bytes = b.bytes};
        fault_after = n;
        mem_fault = fault_nth;
        engine_run(e, (size_t) engine_find(e, "repeat", 6), &job, 1, false, NULL);
        mem_fault = NULL;
        assert_true(job.status == KILN_OK || job.status == KILN_RESOURCE);
        survived = job.status == KILN_OK;
        struct engine_job again;
        assert_int_equal(run(e, "repeat", "{\"x\":[1],\"times\":1}", &again), KILN_OK);
        engine_free(&e);
    }
    assert_true(survived);
    buf_done(&b);
}

/* ---- misbehaving plugins --------------------------------------------------------------------- */

static void bad_plugins_are_not_loaded(void **state)
{
    (void) state;
    expect_no_load("wrong_abi", KILN_INVALID, "the plugin is built for ABI 99.0, this host has 1.0");
    expect_no_load("no_goldens", KILN_INVALID, "no_goldens.f: it has no golden example");
    expect_no_load("not_a_plugin", KILN_INVALID, "is no Kiln plugin: it exports no kiln_plugin");
    expect_no_load("bad_contract", KILN_INVALID,
                   "bad_contract.f: parameter \"x\": shape \"n>\" is not a shape");
    expect_no_load("init_fails", KILN_FAILED,
                   "init of plugin init_fails failed (failed): the table of 2385 coefficients is not there");
    expect_no_load("does_not_exist", KILN_INVALID, "is no file");
    struct engine *e = NULL;
    struct err err;
    char name[] = "/tmp/kiln-test-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0 && write(fd, "not an object", 13) == 13);
    close(fd);
    assert_int_equal(engine_load(name, NULL, 0, &limits, &e, &err), KILN_INVALID);
    assert_non_null(strstr(err.text, "cannot load the plugin"));
    unlink(name);
}

static void wrong_answers_are_not_proven(void **state)
{
    (void) state;
    expect_no_proof("wrong_golden",
                    "wrong_golden.f, example \"two\": y is 4.77, expected 4.78 within 4.78e-12");
    expect_no_proof("unwritten", "unwritten.f, example \"steps\": step[0] is null, expected 0");
    expect_no_proof("wrong_batch", "wrong_batch.f, example \"two\", in a batch of 2: not as when it ran "
                                   "alone: y is 4.770001, expected 4.77 within 4.77e-12");
}

static void every_way_to_fail(void **state)
{
    (void) state;
    struct engine *e = load("error_return", NULL);
    struct err err = {0};
    if (engine_prove(e, true, &err)) {
        fail_msg("%s", err.text);
    }
    static const struct {
        const char *how, *error;
        int status;
    } rows[] = {
        {"failed", "no answer: the series does not converge after 2385 steps", KILN_FAILED},
        {"invalid", "how is \"invalid\", expected something better", KILN_INVALID},
        {"temporary", "not yet: 1 of 1", KILN_TEMPORARY},
        {"resource", "the job needs more memory than it may use (8388608 bytes, limits.job_mb)",
         KILN_RESOURCE},
        {"cancelled", "the job was cancelled", KILN_CANCELLED},
        {"silent", "the function ran and could not produce a result", KILN_FAILED},
        {"nonsense", "the plugin returned 2385, which is no status it may return", KILN_INTERNAL},
        {"no_text", "the plugin's result said is present without text", KILN_INTERNAL},
        {"unsound", "the plugin's result said is not UTF-8", KILN_INTERNAL},
    };
    struct engine_job job;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[80];
        snprintf(json, sizeof json, "{\"how\":\"%s\",\"key\":%zu}", rows[i].how, i);
        assert_int_equal(run(e, "f", json, &job), rows[i].status);
        assert_string_equal(job.error, rows[i].error);
        assert_string_equal(job.field, rows[i].status == KILN_INVALID ? "how" : "");
        assert_null(job.result);
    }
    assert_int_equal(run(e, "f", "{\"how\":\"temporary\",\"key\":2}", &job), KILN_OK);
    assert_string_equal(answer(&job), "{\"said\":\"ok\",\"tries\":1}");

    struct buf ok = pack("{\"how\":\"ok\"}"), bad = pack("{\"how\":\"failed\"}"),
               all = pack("{\"how\":\"batch\"}");
    struct engine_job jobs[3] = {{.payload = ok.data, .payload_bytes = ok.bytes},
                                 {.payload = bad.data, .payload_bytes = bad.bytes},
                                 {.payload = ok.data, .payload_bytes = ok.bytes}};
    engine_run(e, 0, jobs, 3, false, NULL);
    assert_true(jobs[0].status == KILN_OK && jobs[1].status == KILN_FAILED && jobs[2].status == KILN_OK);
    jobs[1].payload = all.data;
    jobs[1].payload_bytes = all.bytes;
    engine_run(e, 0, jobs, 3, false, NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(jobs[i].status, KILN_TEMPORARY);
    }
    buf_done(&ok);
    buf_done(&bad);
    buf_done(&all);
    engine_free(&e);
}

static void writing_out_of_bounds_is_caught(void **state)
{
    (void) state;
    for (int by = -8; by <= 8; by++) {
        struct engine *e = load("overrun", NULL);
        struct engine_job job;
        char json[80];
        snprintf(json, sizeof json, "{\"x\":[1,2,3],\"by\":%d}", by);
        run(e, "f", json, &job);
        if (by == 0) {
            assert_int_equal(job.status, KILN_OK);
            assert_false(engine_damaged(e));
        } else {
            assert_int_equal(job.status, KILN_INTERNAL);
            assert_non_null(strstr(job.error, "the plugin writes out of bounds: past "));
            assert_true(engine_damaged(e));
        }
        if (by > 0) {
            assert_string_equal(job.error, "the plugin writes out of bounds: past y");
        }
        engine_free(&e);
    }
}

/* In a child: what the signal was, or -(exit status). */
static int end_of(const char *name, const char *json)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit none = {0};
        setrlimit(RLIMIT_CORE, &none);
        for (int sig = 1; sig < NSIG && !SANITIZED; sig++) {
            signal(sig, SIG_DFL); /* cmocka's handlers would go on with the next test, here in the child */
        }
        alarm(1); /* ends a hang */
        struct engine *e = NULL;
        struct engine_job job;
        if (engine_load(path_of(name), NULL, 0, &limits, &e, NULL)) {
            _exit(77);
        }
        _exit(run(e, "crash", json, &job) == KILN_OK ? 0 : 78);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void crashes_are_as_ordered(void **state)
{
    (void) state;
    assert_int_equal(end_of("crash", "{\"how\":\"ok\"}"), 0);
    assert_int_equal(end_of("crash", "{\"how\":\"exit\"}"), -3);
    assert_int_equal(end_of("crash", "{\"how\":\"hang\"}"), SIGALRM);
    assert_int_equal(end_of("crash", "{\"how\":\"oom\",\"mb\":2}"), -78);
    if (!SANITIZED) { /* which has handlers of its own */
        assert_int_equal(end_of("crash", "{\"how\":\"abort\"}"), SIGABRT);
        assert_int_equal(end_of("crash", "{\"how\":\"segv\"}"), SIGSEGV);
        assert_int_equal(end_of("crash", "{\"how\":\"stack\"}"), SIGSEGV);
    }
}

/* ---- kilnd --check --------------------------------------------------------------------------- */

static int check(const char *name, char *out, size_t bytes, char *more)
{
    char file[] = "/tmp/kiln-test-XXXXXX", path[400];
    int fd = mkstemp(file), saved = dup(STDOUT_FILENO);
    snprintf(path, sizeof path, "%s", path_of(name));
    fflush(stdout);
    dup2(fd, STDOUT_FILENO);
    char program[] = "kilnd", check_word[] = "--check", timeout[] = "--timeout", one[] = "1";
    char *argv[] = {program, check_word, path, timeout, one, more, NULL};
    int rc = check_main(more ? 6 : 5, argv);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    ssize_t n = pread(fd, out, bytes - 1, 0);
    out[n > 0 ? n : 0] = '\0';
    close(fd);
    unlink(file);
    return rc;
}

static void check_tells_what_is_wrong(void **state)
{
    (void) state;
    static char out[65536];
    static const struct {
        const char *name, *text;
        int rc;
        bool plain_only;
    } rows[] = {
        {"echo", "plugins/echo.so: ok", 0, false},
        {"crash", "crash.so: ok", 0, false},
        {"wrong_abi", "problem: the plugin is built for ABI 99.0", 1, false},
        {"not_a_plugin", "exports no kiln_plugin", 1, false},
        {"wrong_golden", "problem: wrong_golden.f, example \"two\": y is 4.77", 1, false},
        {"wrong_batch", "in a batch of 2", 1, false},
        {"hang_warm", "problem: it hangs: nothing happened for 1 s (hang_warm.f, example \"two\")", 1, false},
        {"init_crash", "problem: it crashes with SIGSEGV, Segmentation fault (init_crash, init)", 1, true},
        {"leaky", "problem: leaky.f: memory grows by 208 bytes each time its examples run, and never stops",
         1, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].plain_only && SANITIZED) {
            continue;
        }
        int rc = check(rows[i].name, out, sizeof out, NULL);
        if (rc != rows[i].rc || !strstr(out, rows[i].text)) {
            fail_msg("%s: %d, \"%s\"", rows[i].name, rc, out);
        }
    }
    assert_int_equal(check("echo", out, sizeof out, NULL), 0);
    assert_non_null(strstr(out, "  option slice_ms: int 1..1000, default 2. How long sleep waits"));
    char json[] = "--json";
    assert_int_equal(check("echo", out, sizeof out, json), 0);
    struct buf b = pack(out);
    assert_non_null(strstr(out, "\"ok\": true"));
    assert_non_null(strstr(out, "\"problems\": []"));
    if (!SANITIZED) {
        assert_non_null(strstr(out, "\"hints\": []"));
    }
    buf_done(&b);
    assert_int_equal(check("wrong_golden", out, sizeof out, json), 1);
    assert_non_null(strstr(out, "\"ok\": false"));
    assert_int_equal(check("hang_warm", out, sizeof out, json), 1);
    b = pack(out);
    buf_done(&b);
}

/* ---- goldens --------------------------------------------------------------------------------- */

static void generated_data(void **state)
{
    (void) state;
    const struct kiln_golden row = {
        .args =
            "{\"a\":{\"$linspace\":[0,1,5]},\"b\":{\"$normal\":[10001,7]},\"c\":{\"$linspace\":[3,9,1]}}"};
    struct golden g;
    struct err err = {0};
    assert_int_equal(golden_parse(&row, 0, &g, &err), 0);
    struct scan s = scan_over(g.args.data, g.args.bytes);
    struct token t;
    scan_next(&s, &t);
    scan_next(&s, &t);
    assert_true(scan_next(&s, &t) && t.type == SCAN_LIST && t.count == 5);
    for (int i = 0; i < 5; i++) {
        assert_true(scan_next(&s, &t) && t.f == 0.25 * i);
    }
    scan_next(&s, &t);
    assert_true(scan_next(&s, &t) && t.count == 10001);
    double sum = 0, squares = 0, first = 0;
    for (int i = 0; i < 10001; i++) {
        scan_next(&s, &t);
        first = i == 0 ? t.f : first;
        sum += t.f;
        squares += t.f * t.f;
    }
    assert_true(fabs(sum / 10001) < 0.04 && fabs(squares / 10001 - 1) < 0.05);
    struct golden again;
    assert_int_equal(golden_parse(&row, 0, &again, &err), 0);
    assert_int_equal(again.args.bytes, g.args.bytes);
    assert_memory_equal(again.args.data, g.args.data, g.args.bytes);
    golden_done(&g);
    golden_done(&again);
    const struct kiln_golden bad[] = {
        {.args = "{\"a\":{\"$linspace\":[0,1]}}"},
        {.args = "{\"a\":{\"$normal\":[1e9,2]}}"},
        {.args = "{\"a\":{\"$normal\":[1000000000,2]}}"},
        {.args = "nonsense"},
        {.args = "{}", .result = "{"},
        {.args = "{}", .rtol = -1},
        {.args = "{}", .status = 99},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(golden_parse(&bad[i], i, &g, &err), KILN_INVALID);
    }
}

static void comparing(void **state)
{
    (void) state;
    static const struct {
        const char *want, *got, *text; /* text: NULL when they agree */
        double rtol, atol;
    } rows[] = {
        {"{\"a\":1}", "{\"b\":2,\"a\":1}", NULL, 0, 0},
        {"{\"a\":1}", "{\"a\":1.0}", NULL, 0, 0},
        {"{\"a\":[1,null,2.5]}", "{\"a\":[1,null,2.5]}", NULL, 0, 0},
        {"{\"a\":100}", "{\"a\":100.9}", NULL, 0.01, 0},
        {"{\"a\":100}", "{\"a\":101.1}", "a is 101.1, expected 100 within 1", 0.01, 0},
        {"{\"a\":0}", "{\"a\":0.05}", NULL, 0, 0.1},
        {"{\"a\":0.5}", "{\"a\":0.50000000000000011}", "a is 0.50000000000000011, expected 0.5 within 0", 0,
         0},
        {"{\"a\":1}", "{\"b\":1}", "a is not in the result", 0, 0},
        {"{\"a\":{\"b\":[1,{\"c\":3}]}}", "{\"a\":{\"b\":[1,{\"c\":4}]}}",
         "a.b[1].c is 4, expected 3 within 0", 0, 0},
        {"{\"a\":[1,2]}", "{\"a\":[1,2,3]}", "a is a list of 3, expected a list of 2", 0, 0},
        {"{\"a\":null}", "{\"a\":0}", "a is 0, expected null", 0, 0},
        {"{\"a\":0}", "{\"a\":null}", "a is null, expected 0", 0, 1e9},
        {"{\"a\":\"x\"}", "{\"a\":\"y\"}", "a is \"y\", expected \"x\"", 0, 0},
        {"{\"a\":true}", "{\"a\":1}", "a is 1, expected true", 0, 1e9},
        {"{\"a\":[1]}", "{\"a\":{\"b\":1}}", "a is a map of 1, expected a list of 1", 0, 0},
        {"{\"a\":9007199254740993}", "{\"a\":9007199254740993}", NULL, 0, 0},
        {"{\"a\":{},\"z\":5}", "{\"a\":{\"b\":{\"c\":1}},\"z\":6}", "z is 6, expected 5 within 0", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf want = pack(rows[i].want), got = pack(rows[i].got);
        struct err err = {0};
        int status =
            golden_compare(want.data, want.bytes, got.data, got.bytes, rows[i].rtol, rows[i].atol, &err);
        if ((status != 0) != (rows[i].text != NULL) || (status && strcmp(err.text, rows[i].text) != 0)) {
            fail_msg("%s and %s: \"%s\"", rows[i].want, rows[i].got, err.text);
        }
        buf_done(&want);
        buf_done(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_gives_back),
        cmocka_unit_test(echo_is_proven),
        cmocka_unit_test(options_are_judged),
        cmocka_unit_test(batches_keep_their_members_apart),
        cmocka_unit_test(long_work_can_be_cancelled),
        cmocka_unit_test(nothing_is_allocated_in_the_steady_state),
        cmocka_unit_test(budgets_fail_the_job_only),
        cmocka_unit_test(faults_fail_the_job_only),
        cmocka_unit_test(bad_plugins_are_not_loaded),
        cmocka_unit_test(wrong_answers_are_not_proven),
        cmocka_unit_test(every_way_to_fail),
        cmocka_unit_test(writing_out_of_bounds_is_caught),
        cmocka_unit_test(crashes_are_as_ordered),
        cmocka_unit_test(check_tells_what_is_wrong),
        cmocka_unit_test(generated_data),
        cmocka_unit_test(comparing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
