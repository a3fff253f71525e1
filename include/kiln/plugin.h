/* SPDX-License-Identifier: MIT-0 */
/* kiln/plugin.h - the contract between the Kiln worker and a compute plugin.
 *
 * A plugin is one shared object that offers one or more functions: arithmetic on borrowed arrays.
 * It includes this header, libm and its own maths library, and nothing else of Kiln: it never sees
 * the queue, the wire or the supervisor, and it has no undefined host symbols, so link it with
 * `-Wl,-z,defs`. The only exported symbol is the data object `kiln_plugin`:
 *
 *     const struct kiln_plugin kiln_plugin = { KILN_PLUGIN_HEAD, .name = "echo", ... };
 *
 * plugins/echo is the tutorial; docs/PLUGINS.md walks through it. `kiln check FILE.so` says what is
 * wrong with a plugin without a broker.
 *
 * LIFE OF A PLUGIN (each in a process of its own, single-threaded; nothing is entered twice)
 *
 *     the host reads kiln_plugin and judges it: magic, sizes, versions, rows - no code has run yet
 *     init                once; returns the plugin's state
 *     open                once for each function that has it; returns that function's instance
 *     run, run_batch      for the golden examples first (cold, then warm, then in batches), and
 *                         only when every answer was right, for live jobs
 *     close, fini         at the end; fini also after an init that failed half-way
 *
 * WHO OWNS WHAT
 *
 *   - Arguments are borrowed: read-only, valid until the call returns.
 *   - Results live in the call's arena. Fixed-shape results are allocated by the host before the
 *     call; results whose length depends on the data are allocated by the plugin with grow().
 *     The arena is released by the host after the reply was encoded.
 *   - No memory crosses the border by malloc and free. A plugin may malloc for itself and must free
 *     what it allocated.
 *   - Everything reached from kiln_plugin is constant and lives as long as the shared object.
 *
 * ERRORS
 *
 *   A function returns a code of <kiln/status.h>. To say why, call host->fail(), which returns the
 *   code it was given:
 *
 *       return call->host->fail(call, KILN_INVALID, "ddof", "%lld, expected less than n = %lld", d, n);
 *
 *   A plugin never exits, aborts, longjmps or lets an exception cross the border. One that crashes
 *   kills only its own worker process.
 *
 * VERSIONS
 *
 *   The host loads a plugin when its abi_major equals the host's and its abi_minor is not newer.
 *   A minor version adds fields at the end of structures or rows to tables; every structure carries
 *   its own size, and a host never reads beyond it (an absent field is zero). A major version may
 *   change anything and is raised as rarely as possible.
 *
 * CHANGE LOG OF THE ABI
 *
 *   1.0  first release.
 *
 * Compiles as C99, C11 and C++11 and includes only <stddef.h>, <stdint.h> and <kiln/status.h>.
 */
#ifndef KILN_PLUGIN_H
#define KILN_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include <kiln/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KILN_PLUGIN_MAGIC  0x4e4c494bu /* "KILN" in memory on a little-endian machine */
#define KILN_ABI_MAJOR     1
#define KILN_ABI_MINOR     0
#define KILN_MAX_RANK      4   /* dimensions of an array */
#define KILN_MAX_ROWS      128 /* parameters, or results, of one function */
#define KILN_MAX_FUNCTIONS 512

#if defined(__GNUC__)
#define KILN_EXPORT            __attribute__((visibility("default")))
#define KILN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define KILN_EXPORT
#define KILN_PRINTF(fmt, args)
#endif

/* ---- data ---------------------------------------------------------------------------------- */

/* Element type of an array as the plugin sees it. The host converts what the producer sent:
 * integers of any width are promoted to KILN_F64 without loss or refused, never rounded silently. */
enum kiln_dtype {
    KILN_F64 = 0, /* double; what a row means that says nothing */
    KILN_F32 = 1, /* float */
    KILN_I64 = 2, /* int64_t */
    KILN_I32 = 3, /* int32_t */
    KILN_U8 = 4,  /* uint8_t, also for booleans: 0 or 1 */
};

/* An array: C order, contiguous, aligned to 64 bytes. rank 0 and data NULL when absent.
 * count is the product of shape[0..rank-1]. */
struct kiln_array {
    void *data;
    uint32_t dtype; /* enum kiln_dtype */
    uint32_t rank;
    int64_t shape[KILN_MAX_RANK];
    int64_t count;
};

/* A free-form value, for what no table of rows can describe. A tree of plain structures that the
 * host has already bounded (depth, items, bytes). Strings are NUL-terminated; `count` is their
 * length in bytes without the NUL, the number of items of a list, or of pairs of a map.
 * A list that holds only numbers arrives as KILN_V_ARRAY (KILN_I64 when all are integers,
 * else KILN_F64 with null read as NaN). An nd array keeps its type: KILN_F64, KILN_F32, KILN_I64, KILN_I32, or
 * KILN_U8, which booleans are too; other whole numbers are KILN_I64. To return a tree, build it in arena memory. */
enum kiln_value_type {
    KILN_V_NULL = 0,
    KILN_V_BOOL = 1,   /* i: 0 or 1 */
    KILN_V_INT = 2,    /* i */
    KILN_V_FLOAT = 3,  /* f */
    KILN_V_STRING = 4, /* text, count */
    KILN_V_BYTES = 5,  /* text, count */
    KILN_V_LIST = 6,   /* list, count */
    KILN_V_MAP = 7,    /* map, count; keys are strings, in the order sent, without duplicates */
    KILN_V_ARRAY = 8,  /* array */
};

struct kiln_pair;

struct kiln_value {
    uint32_t type; /* enum kiln_value_type */
    uint32_t count;
    int64_t i;
    double f;
    const char *text;
    const struct kiln_value *list;
    const struct kiln_pair *map;
    const struct kiln_array *array;
};

struct kiln_pair {
    const char *key; /* NUL-terminated */
    struct kiln_value value;
};

/* One argument or one result, at the index of its row in the contract. Which members count is said
 * by the row's kind; the others are zero.
 *
 * As an argument: `present` is 1 when the producer gave a value other than null, 0 when the row's
 * default was filled in or, without a default, the argument is absent.
 * As a result: the plugin sets `present` to 1 when it has set the value; a result left at 0 is
 * sent as null, or left out when its row is KILN_OPTIONAL. Fixed-shape arrays and columns come with `present` already 1. */
struct kiln_slot {
    int32_t present;
    int32_t reserved;
    double f64;       /* KILN_FLOAT */
    int64_t i64;      /* KILN_INT; KILN_BOOL 0 or 1; KILN_TABLE: number of rows */
    const char *text; /* KILN_STRING (NUL-terminated), KILN_BYTES */
    size_t text_bytes;
    struct kiln_array array;        /* KILN_ARRAY, and the columns of a table */
    const struct kiln_value *value; /* KILN_VALUE */
};

/* ---- contracts: what a function takes and gives, as rows --------------------------------------- */

enum kiln_kind {
    KILN_FLOAT = 1,  /* a number; integers are accepted */
    KILN_INT = 2,    /* a whole number; 10.0 is accepted, 10.5 is not */
    KILN_BOOL = 3,   /* true or false */
    KILN_STRING = 4, /* UTF-8; restricted by `choices` when set */
    KILN_BYTES = 5,  /* any bytes: msgpack bin or str */
    KILN_ARRAY = 6,  /* numbers with `dtype` and `shape` */
    KILN_MAP = 7,    /* a nested map, whose members are the rows named "<this>.<member>" */
    KILN_TABLE = 8,  /* records, whose columns are the rows named "<this>[].<column>" */
    KILN_VALUE = 9,  /* any value, as struct kiln_value */
};

enum kiln_row_flag {
    KILN_REQUIRED = 1 << 0, /* must be given and not null */
    KILN_FINITE = 1 << 1,   /* NaN and infinities are refused (arrays: in any element) */
    KILN_OPEN_MIN = 1 << 2, /* the value must be greater than min, not equal to it */
    KILN_OPEN_MAX = 1 << 3, /* the value must be less than max, not equal to it */
    KILN_LENIENT = 1 << 4,  /* KILN_MAP, KILN_TABLE: unknown members are dropped, not refused */
    KILN_OPTIONAL = 1 << 5, /* a result that is left out of the reply, instead of null, when it is not set;
                               not for columns */
};

/* One parameter, result or option.
 *
 * Names. "x" is a member of the argument map. A dot descends: "staking.eth.annual_yield" is the
 * member annual_yield of the map eth of the map staking; each map may have a row of its own kind
 * KILN_MAP (before its members), which tells the plugin whether the map was present, and without
 * which the map is optional. "distribution[].size" is the column size of the table distribution,
 * which must have a KILN_TABLE row before its columns. Tables do not nest, and are read both as a
 * list of maps and as a map of equally long arrays; they are sent as a map of arrays, or as a list
 * of maps when the producer asks with the argument form:"rows".
 *
 * Shapes are words separated by blanks, one per dimension. A word is a symbol, "n", or a symbol with
 * a least size, "n>=2", or a number, "6". A symbol is bound by the first parameter that carries it
 * and must agree wherever it occurs again; without ">=" it must be at least 1. A column has rank 1,
 * and the symbol of its table is given as the table row's shape. A result whose first symbol is bound by no
 * parameter is a growing result: see grow(). An array of rank 1 is also accepted where the shape has
 * two words and the first is the number 1.
 *
 * The argument name "form" is the host's: "list" (default), "rows" or "nd" choose the form of reply.
 */
struct kiln_row {
    const char *name;
    uint32_t kind;        /* enum kiln_kind */
    uint32_t dtype;       /* enum kiln_dtype; arrays and columns */
    uint32_t flags;       /* enum kiln_row_flag */
    uint32_t reserved;    /* 0 */
    const char *shape;    /* arrays, tables */
    const char *unit;     /* "s", "1/year", "fraction", "price"; NULL: dimensionless */
    double min, max;      /* inclusive range of every element; both 0: no range */
    const char *fallback; /* default as JSON text: "0.9", "\"linear\"", "[1,2]"; NULL: none */
    const char *choices;  /* KILN_STRING: "linear|lower|higher"; NULL: any */
    const char *help;     /* one line, no full stop; states the source of a rule where there is one */
};

/* A worked example: what a caller could send and what it gets. It warms the function, proves it
 * before every start, and documents it. */
struct kiln_golden {
    const char *title;  /* "moments of 1..10"; may be NULL */
    const char *args;   /* JSON object. {"$linspace":[from,to,n]} and {"$normal":[n,seed]} stand for
                          arrays made by the host, so that realistic sizes can be warmed */
    const char *result; /* JSON object: the members to compare, nested as they are sent; members
                           not named here are not compared. NULL: warm only */
    double rtol, atol;  /* a number v is right when |v - w| <= atol + rtol |w|; null means NaN too */
    int32_t status;     /* expected status; with a status other than KILN_OK, result is the text that
                          the error message must contain, or NULL */
    int32_t reserved;
};

/* ---- the call and the host's services ----------------------------------------------------------- */

struct kiln_host;
struct kiln_function;

/* One job being computed, or the act of initialising. Made by the host; a plugin reads it only. */
struct kiln_call {
    const struct kiln_host *host;
    void *state;                          /* what init stored */
    void *instance;                       /* what open stored; NULL without open */
    const struct kiln_function *function; /* NULL during init */
};

enum kiln_log_level { KILN_LOG_DEBUG = 0, KILN_LOG_INFO = 1, KILN_LOG_WARNING = 2, KILN_LOG_ERROR = 3 };

/* Services. `call` is the call the plugin was entered with; none of them may be used from another
 * thread or after the call returned. A host may offer more at the end than `struct_size` of an
 * older host covers: test host->struct_size before using a newer one. */
struct kiln_host {
    uint32_t struct_size;
    uint16_t abi_major, abi_minor;

    /* Records why a call fails and returns `status`. `field` names the argument at fault, or NULL.
     * The sentence is cut at 400 bytes. */
    int (*fail)(struct kiln_call *call, int status, const char *field, const char *format, ...)
        KILN_PRINTF(4, 5);

    /* Zeroed? No: uninitialised memory from the call's arena, aligned to 64 bytes, valid until the
     * call returns (in init and open: until fini and close). NULL when the job's memory budget is
     * spent: return KILN_RESOURCE then. alloc(call, 0) is valid. */
    void *(*alloc)(struct kiln_call *call, size_t bytes);

    /* Sets the first dimension of the growing result at index `result` to `rows` and returns its
     * data; what was written before is kept. The array grows geometrically inside, so it may be
     * called as items appear. For a column of a table all columns of the table must end with the
     * same length. NULL when the budget is spent or the result is not a growing one. */
    void *(*grow)(struct kiln_call *call, size_t result, int64_t rows);

    /* 1 when the job should stop early because its answer is not wanted any more: return
     * KILN_CANCELLED. Cheap; call it every few milliseconds of long work. */
    int (*cancelled)(struct kiln_call *call);

    /* Tells how far a long job is, 0..1. Cheap. */
    void (*progress)(struct kiln_call *call, double fraction);

    /* The value of an option of the plugin: what the configuration says, else the row's default,
     * else NULL. Valid until fini. */
    const struct kiln_value *(*option)(struct kiln_call *call, const char *name);

    /* Monotonic nanoseconds. */
    int64_t (*clock_ns)(struct kiln_call *call);

    /* One line into the worker's log; for rare events, never per job. */
    void (*log)(struct kiln_call *call, enum kiln_log_level level, const char *format, ...) KILN_PRINTF(3, 4);
};

/* ---- descriptors ----------------------------------------------------------------------------- */

/* One job of a batch. The plugin sets status (and the results when it is KILN_OK). */
struct kiln_item {
    struct kiln_call *call;
    const struct kiln_slot *args;
    struct kiln_slot *results;
    int32_t status;
    int32_t reserved;
};

enum kiln_function_flag {
    KILN_PURE = 1 << 0,   /* equal arguments give equal results: the broker may cache them */
    KILN_EXTRAS = 1 << 1, /* unknown top-level arguments are kept: the parameter row named "*" of
                              kind KILN_VALUE receives them as a map; what a KILN_LENIENT map drops is
                              told there, too, by its whole name ("market.volatility") with null */
};

struct kiln_function {
    uint32_t struct_size; /* these four by KILN_FUNCTION_HEAD */
    uint16_t row_size, golden_size;
    uint32_t flags;      /* enum kiln_function_flag */
    uint32_t max_batch;  /* most items run_batch takes; 0: the host decides */
    const char *name;    /* lower case, digits and underscores; unique in the plugin. Producers call
                             "<plugin>.<name>" */
    const char *summary; /* one line */
    const char *help;    /* paragraphs: the formula, its source, edge rules; NULL: none */
    const struct kiln_row *params;
    uint32_t n_params;
    uint32_t n_results;
    const struct kiln_row *results;
    const struct kiln_golden *goldens;
    uint32_t n_goldens; /* at least one: a function that proves nothing is not loaded */
    uint32_t reserved;

    /* Computes one job. args[i] belongs to params[i], results[i] to results[i]. Every argument has
     * been checked against its row. Returns a code of <kiln/status.h>: KILN_OK; KILN_INVALID for
     * arguments that only the function can judge; KILN_FAILED when there is no answer;
     * KILN_TEMPORARY to be tried again; KILN_RESOURCE; KILN_CANCELLED. */
    int (*run)(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results);

    /* Optional: computes n jobs together, 1 <= n <= max_batch. Each item has its own call, arena
     * and status; one bad item must not fail its neighbours. Must give what n single runs give,
     * within the goldens' tolerances: the host checks that before READY. A return other than
     * KILN_OK fails every item. */
    int (*run_batch)(struct kiln_item *items, size_t n);

    /* Optional: state of this function, made once before its first run. */
    int (*open)(struct kiln_call *call, void **ret_instance);
    void (*close)(void *instance);
};

#define KILN_FUNCTION_HEAD                                                                                   \
    .struct_size = sizeof(struct kiln_function), .row_size = sizeof(struct kiln_row),                        \
    .golden_size = sizeof(struct kiln_golden)

struct kiln_plugin {
    uint32_t magic; /* these five by KILN_PLUGIN_HEAD; their place and size never change */
    uint32_t struct_size;
    uint16_t abi_major, abi_minor;
    uint16_t pointer_size, row_size;
    const char *name;    /* lower case, digits and underscores: the first half of function names */
    const char *version; /* semantic version of the plugin */
    const char *summary; /* one line */
    const struct kiln_function *const *functions; /* pointers, so that descriptors may grow */
    uint32_t n_functions;
    uint32_t n_options;
    const struct kiln_row *options; /* FLOAT, INT, BOOL, STRING rows; checked before init */

    /* Optional. Arena memory taken in init lives until fini. *ret_state is NULL on entry; fini is
     * called with what it holds, also when init failed. */
    int (*init)(struct kiln_call *call, void **ret_state);
    void (*fini)(void *state);
};

#define KILN_PLUGIN_HEAD                                                                                     \
    .magic = KILN_PLUGIN_MAGIC, .struct_size = sizeof(struct kiln_plugin), .abi_major = KILN_ABI_MAJOR,      \
    .abi_minor = KILN_ABI_MINOR, .pointer_size = sizeof(void *), .row_size = sizeof(struct kiln_row)

#define KILN_COUNT(array) ((uint32_t) (sizeof(array) / sizeof((array)[0])))

/* The one exported symbol. */
extern KILN_EXPORT const struct kiln_plugin kiln_plugin;

#ifdef __cplusplus
}
#endif

#endif
