/* SPDX-License-Identifier: MPL-2.0 */
/* file_describe - statistics of files larger than memory. */
#include <string.h>

#include "chunks.h"
#include "files.h"
#include "functions.h"
#include "npy.h"

enum { BLOCK = 65536 }; /* values read at a time: half of a second-level cache */

static const char file_describe_help[] =
    "Count, sum, mean, variance, standard deviation, extremes, skewness and kurtosis of all numbers of a "
    "file, which is "
    "read in blocks and may be larger than memory; with chunk_size also those of consecutive parts. Moments "
    "of blocks "
    "are joined exactly (Chan, Golub and LeVeque; Pebay), so nothing is lost to the size.\n"
    "format npy: NumPy's .npy, versions 1.0 to 3.0, of f8, f4, i8, i4, i2, i1, u8, u4, u2, u1 or b1 in "
    "either byte "
    "order and any shape; objects, records and complex numbers are refused. format raw: numbers of type "
    "dtype from byte "
    "offset on, to the end of the file or count of them. Values are taken in the order of the file, which "
    "for fortran_order "
    "is by columns. They become doubles: i8 and u8 beyond 2^53 are rounded, as in NumPy.\n"
    "path must lie below a folder that the plugin's option data_dirs names (by default none; in kiln.conf: "
    "{ name = \"stats\"; options = { data_dirs = \"/srv/data:/srv/more\"; }; }), and not lead through "
    "symbolic "
    "links. content takes the bytes of a file instead. skewness and kurtosis are g1 and g2, null when all "
    "values are equal. A NaN makes the results NaN unless nan_policy says otherwise; nan_count counts them.";

enum { PATH, CONTENT, FORMAT, DTYPE, OFFSET, COUNT, CHUNK_SIZE, DDOF, NAN_POLICY };
enum { NOBS, NAN_COUNT, TYPE, SHAPE, FORTRAN, SUM, MEAN, VAR, STD, MIN, MAX, SKEWNESS, KURTOSIS, CHUNKS };

static const struct kiln_row file_describe_params[] = {
    {.name = "path", .kind = KILN_STRING, .help = "the file, as an absolute path"},
    {.name = "content", .kind = KILN_BYTES, .help = "the bytes of a file, instead of a path"},
    {.name = "format",
     .kind = KILN_STRING,
     .choices = "npy|raw",
     .fallback = "\"npy\"",
     .help = "with NumPy's header, or numbers only"},
    {.name = "dtype",
     .kind = KILN_STRING,
     .fallback = "\"<f8\"",
     .help = "raw: type of the numbers, such as <f8, f4, >i4 or u1"},
    {.name = "offset",
     .kind = KILN_INT,
     .unit = "bytes",
     .min = 0,
     .max = 9007199254740992.0,
     .fallback = "0",
     .help = "raw: where the numbers begin"},
    {.name = "count",
     .kind = KILN_INT,
     .min = 1,
     .max = 9007199254740992.0,
     .help = "raw: how many numbers; absent: to the end, which must be that of a number"},
    {.name = "chunk_size",
     .kind = KILN_INT,
     .min = 1,
     .max = 9007199254740992.0,
     .help = "values in a part of the table chunks; absent: no table"},
    ROW_DDOF("0", HELP_DDOF),
    ROW_NAN_POLICY(HELP_NAN_POLICY),
};

static const struct kiln_row file_describe_results[] = {
    {.name = "nobs", .kind = KILN_INT, .help = "values, without those left out"},
    {.name = "nan_count", .kind = KILN_INT, .help = "NaN among the values"},
    {.name = "dtype", .kind = KILN_STRING, .help = "type of the numbers in the file"},
    {.name = "shape", .kind = KILN_ARRAY, .dtype = KILN_I64, .shape = "d", .help = "sizes of the array"},
    {.name = "fortran_order", .kind = KILN_BOOL, .help = "whether the file goes by columns"},
    {.name = "sum", .kind = KILN_FLOAT, .help = "sum"},
    {.name = "mean", .kind = KILN_FLOAT, .help = "arithmetic mean"},
    {.name = "var", .kind = KILN_FLOAT, .help = "variance, divisor n - ddof"},
    {.name = "std", .kind = KILN_FLOAT, .help = "standard deviation, divisor n - ddof"},
    {.name = "min", .kind = KILN_FLOAT, .help = "smallest value"},
    {.name = "max", .kind = KILN_FLOAT, .help = "largest value"},
    {.name = "skewness", .kind = KILN_FLOAT, .help = "g1 = m3 / m2^1.5"},
    {.name = "kurtosis", .kind = KILN_FLOAT, .help = "g2 = m4 / m2^2 - 3"},
    CHUNK_ROWS,
};

static const struct kiln_golden file_describe_goldens[] = {
    {.title = "the bytes a to d as numbers, by two",
     .args = "{\"content\":\"abcd\",\"format\":\"raw\",\"dtype\":\"u1\",\"chunk_size\":2}",
     .result =
         "{\"nobs\":4,\"nan_count\":0,\"dtype\":\"u1\",\"shape\":[4],\"sum\":394,\"mean\":98.5,\"var\":1.25,"
         "\"min\":97,\"max\":100,\"skewness\":0,\"kurtosis\":-1.36,\"chunks\":{\"mean\":[97.5,99.5]}}",
     .rtol = 1e-15},
    {.title = "two-byte numbers, the high byte first",
     .args = "{\"content\":\"-a b\",\"format\":\"raw\",\"dtype\":\">i2\",\"offset\":2}",
     .result = "{\"nobs\":1,\"mean\":8290,\"std\":0,\"skewness\":null}"},
    {.title = "not what it should be",
     .args = "{\"content\":\"PK - an archive\"}",
     .status = KILN_INVALID,
     .result = "it does not begin as a .npy file does"},
    {.title = "a path that is not absolute",
     .args = "{\"path\":\"../data.npy\"}",
     .status = KILN_INVALID,
     .result = "expected an absolute path"},
};

static int file_describe_open(struct kiln_call *call, void **ret_instance)
{
    (void) ret_instance; /* nothing to keep: the option stays where it is */
    const struct kiln_value *dirs = call->host->option(call, "data_dirs");
    return dirs && dirs->type == KILN_V_STRING ? files_check_dirs(call, dirs->text) : KILN_OK;
}

static const char *field_of(const struct kiln_slot *args)
{
    return args[PATH].present ? "path" : "content";
}

static int open_source(struct kiln_call *call, const struct kiln_slot *args, struct file *ret)
{
    if (args[PATH].present == args[CONTENT].present) {
        return call->host->fail(call, KILN_INVALID, "path", "path and content are %s, expected one of them",
                                args[PATH].present ? "both given" : "both missing");
    }
    if (args[CONTENT].present) {
        *ret = (struct file){.fd = -1,
                             .memory = (const unsigned char *) args[CONTENT].text,
                             .bytes = args[CONTENT].text_bytes};
        return KILN_OK;
    }
    const struct kiln_value *dirs = call->host->option(call, "data_dirs");
    return file_open(call, "path", args[PATH].text, dirs && dirs->type == KILN_V_STRING ? dirs->text : NULL,
                     ret);
}

static int read_npy(struct kiln_call *call, const struct kiln_slot *args, const struct file *f,
                    struct npy *ret)
{
    unsigned char start[12];
    char reason[NPY_REASON] = "";
    const size_t have = f->bytes < sizeof start ? (size_t) f->bytes : sizeof start;
    int status = file_read(call, f, 0, start, have);
    if (status) {
        return status;
    }
    const size_t bytes = npy_header_bytes(start, have, reason);
    if (bytes > f->bytes) {
        return call->host->fail(call, KILN_INVALID, field_of(args),
                                "its header has %zu bytes, the file only %llu", bytes,
                                (unsigned long long) f->bytes);
    }
    unsigned char *header = bytes ? call->host->alloc(call, bytes) : NULL;
    if (bytes && !header) {
        return KILN_RESOURCE;
    }
    status = bytes ? file_read(call, f, 0, header, bytes) : KILN_OK;
    if (status) {
        return status;
    }
    if (!bytes || !npy_read(header, bytes, f->bytes, ret, reason)) {
        return call->host->fail(call, KILN_INVALID, field_of(args), "%s (format is npy)", reason);
    }
    return KILN_OK;
}

static int read_raw(struct kiln_call *call, const struct kiln_slot *args, const struct file *f,
                    struct npy *ret)
{
    struct npy n = {.rank = 1};
    n.type = npy_type_of(args[DTYPE].text, strlen(args[DTYPE].text), &n.swapped);
    if (!n.type) {
        return call->host->fail(
            call, KILN_INVALID, "dtype",
            "dtype is %s, expected f8, f4, i8, i4, i2, i1, u8, u4, u2, u1 or b1, with < or > before it",
            args[DTYPE].text);
    }
    const uint64_t offset = (uint64_t) args[OFFSET].i64, bytes = f->bytes > offset ? f->bytes - offset : 0;
    const int64_t most = (int64_t) (bytes / n.type->bytes);
    n.count = args[COUNT].present ? args[COUNT].i64 : most;
    if (n.count > most || offset > f->bytes) {
        return call->host->fail(
            call, KILN_INVALID, args[COUNT].present ? "count" : "offset",
            "%lld numbers of %zu bytes from byte %llu, expected them within the %llu bytes there are",
            (long long) n.count, n.type->bytes, (unsigned long long) offset, (unsigned long long) f->bytes);
    }
    if (!args[COUNT].present && bytes % n.type->bytes) {
        return call->host->fail(call, KILN_INVALID, field_of(args),
                                "%llu bytes from byte %llu on, expected a multiple of %zu (dtype is %s)",
                                (unsigned long long) bytes, (unsigned long long) offset, n.type->bytes,
                                args[DTYPE].text);
    }
    n.data = (size_t) offset;
    n.shape[0] = n.count;
    *ret = n;
    return KILN_OK;
}

/* Reads all values and adds them, block by block. */
static int add_values(struct kiln_call *call, const struct file *f, const struct npy *n, struct chunks *c)
{
    const struct npy_type *type = n->type;
    npy_convert *convert = n->swapped ? type->swapped : type->straight;
    const bool as_it_is = !n->swapped && type->name[0] == 'f' && type->bytes == sizeof(double);
    double *values = call->host->alloc(call, BLOCK * sizeof *values);
    unsigned char *raw = as_it_is ? (void *) values : call->host->alloc(call, BLOCK * type->bytes);
    if (!values || !raw) {
        return KILN_RESOURCE;
    }
    for (int64_t at = 0; at < n->count; at += BLOCK) {
        const size_t block = n->count - at < BLOCK ? (size_t) (n->count - at) : BLOCK;
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        call->host->progress(call, (double) at / (double) n->count);
        int status = file_read(call, f, n->data + (uint64_t) at * type->bytes, raw, block * type->bytes);
        if (status) {
            return status;
        }
        if (!as_it_is) {
            convert(raw, block, values);
        }
        status = chunks_add(call, c, values, block);
        if (status) {
            return status;
        }
    }
    return KILN_OK;
}

static int give_results(struct kiln_call *call, const struct kiln_slot *args, const struct npy *n,
                        const struct chunks *c, struct kiln_slot *results)
{
    const struct summary s = tally_summary(&c->whole, c->policy, c->ddof);
    if ((double) s.nobs <= c->ddof) {
        return call->host->fail(call, KILN_INVALID, s.nobs ? "ddof" : field_of(args),
                                "%lld values count, expected more than ddof = %lld", (long long) s.nobs,
                                (long long) args[DDOF].i64);
    }
    int64_t *shape = call->host->grow(call, SHAPE, n->rank);
    if (!shape) {
        return KILN_RESOURCE;
    }
    memcpy(shape, n->shape, n->rank * sizeof *shape);
    results[NOBS].present = results[NAN_COUNT].present = results[TYPE].present = results[FORTRAN].present = 1;
    results[NOBS].i64 = s.nobs;
    results[NAN_COUNT].i64 = (int64_t) c->whole.missing;
    results[TYPE].text = n->type->name;
    results[FORTRAN].i64 = n->fortran;
    const double numbers[] = {s.sum, s.mean, s.var, s.std, s.min, s.max, s.skewness, s.kurtosis};
    for (size_t i = 0; i < KILN_COUNT(numbers); i++) {
        give(&results[SUM + i], numbers[i]);
    }
    return KILN_OK;
}

static int describe(struct kiln_call *call, const struct kiln_slot *args, const struct file *f,
                    struct kiln_slot *results)
{
    struct npy n;
    int status = args[FORMAT].text[0] == 'n' ? read_npy(call, args, f, &n) : read_raw(call, args, f, &n);
    if (status) {
        return status;
    }
    if (n.count == 0) {
        return call->host->fail(call, KILN_INVALID, field_of(args),
                                "it holds no values, expected at least one");
    }
    const bool table = args[CHUNK_SIZE].present;
    const struct division division = divide_by_size(n.count, table ? args[CHUNK_SIZE].i64 : n.count);
    struct chunks c;
    status = chunks_init(call, &c, field_of(args), table ? CHUNKS : -1, &division,
                         nan_policy_of(&args[NAN_POLICY]), (double) args[DDOF].i64);
    if (status == KILN_OK) {
        status = add_values(call, f, &n, &c);
    }
    if (status) {
        return status;
    }
    chunks_finish(&c);
    return give_results(call, args, &n, &c, results);
}

static int file_describe_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct file f;
    int status = open_source(call, args, &f);
    if (status == KILN_OK) {
        status = describe(call, args, &f, results);
        file_close(&f);
    }
    return status;
}

/* Not pure: the file may change. */
const struct kiln_function stats_file_describe = {
    KILN_FUNCTION_HEAD,         .name = "file_describe",
    .help = file_describe_help, .summary = "statistics of a file that may be larger than memory",
    TABLES(file_describe),      .run = file_describe_run,
    .open = file_describe_open,
};
