/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/job.h"
#include "mem.h"

static void a_job_used_again_is_as_new(void **state)
{
    (void) state;
    struct job_pool pool = {0};
    struct job *j = job_new(&pool), *was = j;
    zmq_msg_close(&j->payload);
    zmq_msg_init_size(&j->payload, 2385);
    memset(zmq_msg_data(&j->payload), 7, 2385);
    j->state = JOB_DONE;
    j->attempt = 3;
    j->solo = j->submitted = true;
    j->deadline_ns = j->keep_ns = 77;
    j->error = mem_text("why");
    j->field = mem_text("x");
    j->worker = mem_text("w1");
    j->id = id_number(4711);
    job_free(&pool, &j);
    assert_null(j);
    j = job_new(&pool);
    assert_ptr_equal(j, was);
    assert_int_equal(zmq_msg_size(&j->payload), 0);
    assert_int_equal(j->state, JOB_DELAYED);
    assert_int_equal(j->attempt + j->solo + j->submitted, 0);
    assert_true(j->deadline_ns == 0 && j->keep_ns == 0);
    assert_null(j->error);
    assert_null(j->field);
    assert_null(j->worker);
    assert_null(j->next);
    assert_int_equal(j->id.size, 0);
    struct job *second = job_new(&pool);
    assert_ptr_not_equal(second, j);
    job_free(&pool, &second);
    job_free(&pool, &j);
    job_pool_done(&pool);
    assert_null(pool.jobs);
}

static void a_request_used_again_is_as_new(void **state)
{
    (void) state;
    struct job_pool pool = {0};
    struct request *r = request_new(&pool), *was = r;
    r->rid = id_number(7);
    r->list = true;
    r->open = 23;
    request_free(&pool, &r);
    assert_null(r);
    r = request_new(&pool);
    assert_ptr_equal(r, was);
    assert_int_equal(r->rid.size + r->list + r->open, 0);
    request_free(&pool, &r);
    job_pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_used_again_is_as_new),
        cmocka_unit_test(a_request_used_again_is_as_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
