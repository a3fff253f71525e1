/* SPDX-License-Identifier: MPL-2.0 */
/* check_elf - the dynamic symbols of a shared object: what leaves it beside kiln_plugin, and what it takes
 * from libraries that it does not name. The file is untrusted: every offset is checked before it is used. */
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

struct file {
    const unsigned char *data;
    size_t bytes;
};

static const void *part(const struct file *f, uint64_t at, uint64_t bytes)
{
    return at <= f->bytes && bytes <= f->bytes - at && at % 8 == 0 ? f->data + at : NULL;
}

static const char *text_at(const struct file *f, const Elf64_Shdr *strings, uint32_t at)
{
    if (at >= strings->sh_size || strings->sh_offset > f->bytes ||
        strings->sh_size > f->bytes - strings->sh_offset) {
        return NULL;
    }
    const char *text = (const char *) f->data + strings->sh_offset + at;
    return memchr(text, 0, strings->sh_size - at) ? text : NULL;
}

static size_t hint(struct buf *hints, const char *before, const char *name, const char *after)
{
    char text[400];
    snprintf(text, sizeof text, "%s%.120s%s", before, name, after);
    buf_put_text(hints, text);
    return 1;
}

/* Names that tool chains and sanitizers bring along. */
static bool of_the_tools(const char *name)
{
    static const char *const prefixes[] = {"__asan", "__ubsan",     "__tsan", "__lsan", "__sanitizer",
                                           "__gcov", "_ITM_",       "__cxa_", "__gmon", "_init",
                                           "_fini",  "__bss_start", "_edata", "_end"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return false;
}

static size_t look_at(const char *name, const Elf64_Sym *sym, void *handle, struct buf *hints)
{
    unsigned bind = ELF64_ST_BIND(sym->st_info), type = ELF64_ST_TYPE(sym->st_info);
    if (bind == STB_LOCAL || name[0] == '\0' || of_the_tools(name)) {
        return 0;
    }
    if (sym->st_shndx == SHN_UNDEF) {
        /* dlsym looks into the plugin and the libraries it names, not into the host's. */
        bool stray = bind == STB_GLOBAL && handle && !dlsym(handle, name);
        return stray ? hint(hints, "it uses ", name,
                            ", which none of the libraries it names has: link with -Wl,-z,defs to find out "
                            "when building")
                     : 0;
    }
    bool ours = strcmp(name, "kiln_plugin") == 0;
    bool version = sym->st_shndx == SHN_ABS;
    bool exported =
        ELF64_ST_VISIBILITY(sym->st_other) == STV_DEFAULT && (type == STT_FUNC || type == STT_OBJECT);
    return exported && !ours && !version
               ? hint(hints, "it exports ", name,
                      " beside kiln_plugin: build with -fvisibility=hidden, or link with a version script")
               : 0;
}

static size_t symbols(const struct file *f, void *handle, struct buf *hints)
{
    enum { MOST_HINTS = 12 };
    const Elf64_Ehdr *head = part(f, 0, sizeof *head);
    if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_ident[EI_CLASS] != ELFCLASS64 ||
        head->e_shentsize != sizeof(Elf64_Shdr)) {
        return 0;
    }
    const Elf64_Shdr *sections = part(f, head->e_shoff, (uint64_t) head->e_shnum * sizeof *sections);
    size_t n = 0;
    for (unsigned i = 0; sections && i < head->e_shnum; i++) {
        const Elf64_Shdr *s = &sections[i];
        if (s->sh_type != SHT_DYNSYM || s->sh_link >= head->e_shnum) {
            continue;
        }
        const Elf64_Sym *syms = part(f, s->sh_offset, s->sh_size);
        for (size_t k = 1; syms && k < s->sh_size / sizeof *syms && n < MOST_HINTS; k++) {
            const char *name = text_at(f, &sections[s->sh_link], syms[k].st_name);
            n += name ? look_at(name, &syms[k], handle, hints) : 0;
        }
    }
    return n;
}

size_t check_elf(const char *path, struct buf *hints)
{
    struct stat st;
    struct file f = {0};
    size_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0) {
        f.bytes = (size_t) st.st_size;
        void *map = mmap(NULL, f.bytes, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map != MAP_FAILED) {
            char absolute[4096];
            f.data = map;
            n = symbols(&f, dlopen(realpath(path, absolute), RTLD_NOW | RTLD_NOLOAD), hints);
            munmap(map, f.bytes);
        }
        if (st.st_mode & S_IWOTH) {
            n += hint(hints, "", path, " is writable for everybody: kilnd will not load it");
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return n;
}
