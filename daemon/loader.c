/* SPDX-License-Identifier: MPL-2.0 */
/* loader - a shared object opened, and its descriptor judged before any of its functions is called.
 *
 * Nothing in the descriptor is believed: sizes first, then versions, then pointers and names. What passes is
 * copied into structures of our own size, so that nobody reads beyond what its ABI had. */
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine_impl.h"
#include "mem.h"

/* Sizes of ABI 1.0: a plugin may have more (up to ours), never less. */
enum {
    PLUGIN_1_0 = 80,
    FUNCTION_1_0 = 112,
    ROW_1_0 = 80,
    GOLDEN_1_0 = 48,
    MOST_BATCH = 4096,
    MOST_GOLDENS = 1000
};

_Static_assert(sizeof(struct kiln_plugin) >= PLUGIN_1_0, "the ABI only grows");
_Static_assert(sizeof(struct kiln_function) >= FUNCTION_1_0, "the ABI only grows");
_Static_assert(sizeof(struct kiln_row) >= ROW_1_0, "the ABI only grows");
_Static_assert(sizeof(struct kiln_golden) >= GOLDEN_1_0, "the ABI only grows");

static bool sound_name(const char *name)
{
    size_t n = name ? strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;
    return n > 0 && n <= 48 && name[n] == '\0' && !(name[0] >= '0' && name[0] <= '9');
}

static int judge_size(const char *what, size_t size, size_t least, size_t most, struct err *err)
{
    if (size < least || size > most || size % sizeof(void *)) {
        return err_set(err, KILN_INVALID, NULL,
                       "%s has %zu bytes, expected %zu to %zu: built with another kiln/plugin.h?", what, size,
                       least, most);
    }
    return 0;
}

static int judge_head(const struct kiln_plugin *p, size_t object_bytes, struct err *err)
{
    if (object_bytes < offsetof(struct kiln_plugin, name)) {
        return err_set(err, KILN_INVALID, NULL,
                       "kiln_plugin is an object of %zu bytes, expected struct kiln_plugin", object_bytes);
    }
    if (p->magic != KILN_PLUGIN_MAGIC) {
        return err_set(err, KILN_INVALID, NULL,
                       "kiln_plugin begins with 0x%08x, expected KILN_PLUGIN_MAGIC 0x%08x", p->magic,
                       KILN_PLUGIN_MAGIC);
    }
    if (p->abi_major != KILN_ABI_MAJOR) {
        return err_set(err, KILN_INVALID, NULL,
                       "the plugin is built for ABI %u.%u, this host has %d.%d: build it again", p->abi_major,
                       p->abi_minor, KILN_ABI_MAJOR, KILN_ABI_MINOR);
    }
    if (p->abi_minor > KILN_ABI_MINOR) {
        return err_set(err, KILN_INVALID, NULL,
                       "the plugin needs ABI %u.%u, this host has %d.%d: update the host", p->abi_major,
                       p->abi_minor, KILN_ABI_MAJOR, KILN_ABI_MINOR);
    }
    if (p->pointer_size != sizeof(void *)) {
        return err_set(err, KILN_INVALID, NULL, "the plugin's pointers have %u bytes, expected %zu",
                       p->pointer_size, sizeof(void *));
    }
    int status = judge_size("struct kiln_plugin", p->struct_size, PLUGIN_1_0, sizeof *p, err);
    if (status == 0 && object_bytes < p->struct_size) {
        status = err_set(err, KILN_INVALID, NULL, "kiln_plugin is an object of %zu bytes and claims %u",
                         object_bytes, p->struct_size);
    }
    return status ? status
                  : judge_size("struct kiln_row", p->row_size, ROW_1_0, sizeof(struct kiln_row), err);
}

static int judge_plugin(const struct kiln_plugin *p, struct err *err)
{
    if (!sound_name(p->name)) {
        return err_set(err, KILN_INVALID, NULL,
                       "the plugin's name is no word of lower case letters, digits and underscores");
    }
    if (!p->version || !p->version[0] || strlen(p->version) > 64) {
        return err_set(err, KILN_INVALID, NULL, "plugin %s has no version of 1 to 64 bytes", p->name);
    }
    if (p->n_functions == 0 || p->n_functions > KILN_MAX_FUNCTIONS || !p->functions) {
        return err_set(err, KILN_INVALID, NULL, "plugin %s has %u functions, expected 1 to %d", p->name,
                       p->n_functions, KILN_MAX_FUNCTIONS);
    }
    if (p->n_options > KILN_MAX_ROWS || (p->n_options && !p->options)) {
        return err_set(err, KILN_INVALID, NULL, "plugin %s has %u options, expected at most %d", p->name,
                       p->n_options, KILN_MAX_ROWS);
    }
    return 0;
}

static int judge_function(const struct kiln_plugin *p, const struct kiln_function *f, struct err *err)
{
    if (!sound_name(f->name)) {
        return err_set(err, KILN_INVALID, NULL,
                       "a function of plugin %s has no name of lower case letters, digits and underscores",
                       p->name);
    }
    int status = judge_size("struct kiln_row", f->row_size, ROW_1_0, sizeof(struct kiln_row), err);
    if (status == 0) {
        status =
            judge_size("struct kiln_golden", f->golden_size, GOLDEN_1_0, sizeof(struct kiln_golden), err);
    }
    const char *wrong = NULL;
    if (f->flags & ~(uint32_t) (KILN_PURE | KILN_EXTRAS)) {
        wrong = "its flags are none of enum kiln_function_flag";
    } else if (f->max_batch > MOST_BATCH) {
        wrong = "its max_batch is over 4096";
    } else if (f->reserved) {
        wrong = "its reserved field is not 0";
    } else if (!f->run) {
        wrong = "it has no run";
    } else if (f->n_goldens == 0 || !f->goldens) {
        wrong = "it has no golden example: a function that proves nothing is not loaded";
    } else if (f->n_goldens > MOST_GOLDENS) {
        wrong = "it has more than 1000 golden examples";
    } else if (f->close && !f->open) {
        wrong = "it has close without open";
    }
    if (status) {
        return err_prefix(err, "%s.%s", p->name, f->name);
    }
    return wrong ? err_set(err, KILN_INVALID, NULL, "%s.%s: %s", p->name, f->name, wrong) : 0;
}

static int judge_functions(struct engine *e, struct err *err)
{
    for (uint32_t i = 0; i < e->desc.n_functions; i++) {
        const struct kiln_function *theirs = e->desc.functions[i];
        if (!theirs || (uintptr_t) theirs % sizeof(void *)) {
            return err_set(err, KILN_INVALID, NULL,
                           "plugin %s: function %u of %u is no pointer to a descriptor", e->desc.name, i + 1,
                           e->desc.n_functions);
        }
        int status =
            judge_size("struct kiln_function", theirs->struct_size, FUNCTION_1_0, sizeof *theirs, err);
        if (status) {
            return err_prefix(err, "plugin %s, function %u of %u", e->desc.name, i + 1, e->desc.n_functions);
        }
        struct function *f = &e->functions[i];
        f->theirs = theirs;
        memcpy(&f->desc, theirs, theirs->struct_size);
        status = judge_function(&e->desc, &f->desc, err);
        if (status) {
            return status;
        }
        for (uint32_t k = 0; k < i; k++) {
            if (strcmp(e->functions[k].desc.name, f->desc.name) == 0) {
                return err_set(err, KILN_INVALID, NULL, "%s.%s is there twice", e->desc.name, f->desc.name);
            }
        }
    }
    return 0;
}

/* Bytes of the data object that the symbol names; 0 when it names something else. */
static size_t object_bytes(const void *symbol)
{
    Dl_info info;
    ElfW(Sym) *sym = NULL;
    if (!dladdr1(symbol, &info, (void **) &sym, RTLD_DL_SYMENT) || !sym ||
        ELF64_ST_TYPE(sym->st_info) != STT_OBJECT) {
        return 0;
    }
    return sym->st_size;
}

/* The dynamic linker maps what the headers promise and touches it: a file that was cut short would kill us there. */
static bool cut_short(const char *path, const struct stat *st)
{
    Elf64_Ehdr head;
    Elf64_Phdr segments[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool cut = false;
    if (fd >= 0 && pread(fd, &head, sizeof head, 0) == (ssize_t) sizeof head &&
        memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 && head.e_ident[EI_CLASS] == ELFCLASS64 &&
        head.e_phentsize == sizeof *segments && head.e_phnum <= 64) {
        size_t bytes = head.e_phnum * sizeof *segments;
        cut = pread(fd, segments, bytes, (off_t) head.e_phoff) != (ssize_t) bytes;
        for (unsigned i = 0; !cut && i < head.e_phnum; i++) {
            const Elf64_Phdr *p = &segments[i];
            cut = p->p_type == PT_LOAD && (p->p_offset > (uint64_t) st->st_size ||
                                           p->p_filesz > (uint64_t) st->st_size - p->p_offset);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return cut;
}

int loader_open(const char *path, struct engine *e, struct err *err)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return err_set(err, KILN_INVALID, NULL, "%s is no file", path);
    }
    char with_slash[4096]; /* without one, dlopen searches the library path instead */
    if (!strchr(path, '/')) {
        snprintf(with_slash, sizeof with_slash, "./%s", path);
        path = with_slash;
    }
    if (cut_short(path, &st)) {
        return err_set(err, KILN_INVALID, NULL,
                       "%s is cut short: it has %lld bytes, and its headers promise more", path,
                       (long long) st.st_size);
    }
    e->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!e->handle) {
        return err_set(err, KILN_INVALID, NULL, "cannot load the plugin: %s", dlerror());
    }
    const struct kiln_plugin *theirs = dlsym(e->handle, "kiln_plugin");
    if (!theirs) {
        return err_set(err, KILN_INVALID, NULL, "%s is no Kiln plugin: it exports no kiln_plugin", path);
    }
    int status = judge_head(theirs, object_bytes(theirs), err);
    if (status) {
        return status;
    }
    e->theirs = theirs;
    memcpy(&e->desc, theirs, theirs->struct_size);
    status = judge_plugin(&e->desc, err);
    if (status) {
        return status;
    }
    e->functions = mem_alloc(e->desc.n_functions * sizeof *e->functions);
    e->n_functions = e->desc.n_functions;
    return judge_functions(e, err);
}
