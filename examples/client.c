/* SPDX-License-Identifier: MPL-2.0 */
/* One call from C with libkiln; msgpack-c packs the arguments and unpacks the result.
 *
 *     cc -o client examples/client.c $(pkg-config --cflags --libs kiln) -lmsgpackc
 *     ./client ipc:///run/kiln/kiln.sock */
#include <stdio.h>
#include <string.h>

#include <kiln/client.h>
#include <msgpack.h>

static double member(const msgpack_object *map, const char *name)
{
    for (unsigned i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *kv = &map->via.map.ptr[i];
        if (kv->key.via.str.size == strlen(name) && memcmp(kv->key.via.str.ptr, name, strlen(name)) == 0) {
            return kv->val.via.f64;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const double x[] = {103.1, 101.4, 104.9, 102.385, 107.7};
    struct kiln_client *client = NULL;
    struct kiln_answer *answer = NULL;
    struct kiln_error err;
    msgpack_sbuffer args;
    msgpack_packer pack;

    msgpack_sbuffer_init(&args);
    msgpack_packer_init(&pack, &args, msgpack_sbuffer_write);
    msgpack_pack_map(&pack, 1);
    msgpack_pack_str_with_body(&pack, "x", 1);
    msgpack_pack_array(&pack, 5);
    for (int i = 0; i < 5; i++) {
        msgpack_pack_double(&pack, x[i]);
    }

    struct kiln_job job = {.fn = "stats.describe", .args = args.data, .args_bytes = args.size};
    int status = kiln_client_open(argc > 1 ? argv[1] : "ipc:///run/kiln/kiln.sock", NULL, &client, &err);
    if (status == KILN_OK) {
        status = kiln_client_call(client, &job, 1, &answer, &err);
    }
    if (status != KILN_OK) {
        fprintf(stderr, "%s: %s\n", kiln_status_name(status), err.text);
    } else if (answer->outcomes[0].status != KILN_OK) {
        status = answer->outcomes[0].status;
        fprintf(stderr, "%s: %s\n", kiln_status_name(status), answer->outcomes[0].error);
    } else {
        const struct kiln_outcome *o = &answer->outcomes[0];
        msgpack_unpacked result;
        msgpack_unpacked_init(&result);
        msgpack_unpack_next(&result, o->result, o->result_bytes, NULL);
        printf("mean %.6f std %.6f in %lld us\n", member(&result.data, "mean"), member(&result.data, "std"),
               (long long) o->total_us);
        msgpack_unpacked_destroy(&result);
    }
    kiln_client_answer_free(&answer);
    kiln_client_close(&client);
    msgpack_sbuffer_destroy(&args);
    return status != KILN_OK;
}
