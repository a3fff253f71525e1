/* SPDX-License-Identifier: MPL-2.0 */
#include "data_files.h"

#include <errno.h>
#include <fts.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include "mem.h"

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Calls `see` for each entry; a folder before what is in it. */
static void walk(const struct conf_texts *folders, void (*see)(void *arg, const FTSENT *entry), void *arg)
{
    for (size_t i = 0; i < folders->n; i++) {
        char *const roots[] = {folders->items[i], NULL};
        FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, by_name);
        size_t seen = 0;
        for (FTSENT *e; tree && seen < DATA_FILES_MOST && (e = fts_read(tree)) != NULL;) {
            if (e->fts_info == FTS_DP) {
                continue;
            }
            if (e->fts_info == FTS_D && e->fts_level >= DATA_FILES_DEPTH) {
                fts_set(tree, e, FTS_SKIP);
            }
            see(arg, e);
            seen++;
        }
        if (tree) {
            fts_close(tree);
        }
    }
}

static void hash_entry(void *arg, const FTSENT *e)
{
    struct {
        uint64_t size, seconds, nanoseconds, inode, kind;
    } facts = {.kind = (uint64_t) e->fts_info};
    if (e->fts_info == FTS_F) {
        const struct stat *st = e->fts_statp;
        facts.size = (uint64_t) st->st_size;
        facts.seconds = (uint64_t) st->st_mtim.tv_sec;
        facts.nanoseconds = (uint64_t) st->st_mtim.tv_nsec;
        facts.inode = (uint64_t) st->st_ino;
    } else if (e->fts_info != FTS_D) {
        facts.size = (uint64_t) e->fts_errno;
    }
    crypto_generichash_state *state = arg;
    crypto_generichash_update(state, (const unsigned char *) e->fts_path, e->fts_pathlen + 1ull);
    crypto_generichash_update(state, (const unsigned char *) &facts, sizeof facts);
}

void data_files_hash(const struct conf_texts *folders, unsigned char ret_hash[DATA_FILES_HASH])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, DATA_FILES_HASH);
    walk(folders, hash_entry, &state);
    crypto_generichash_final(&state, ret_hash, DATA_FILES_HASH);
}

static void watch_entry(void *arg, const FTSENT *e)
{
    if (e->fts_info == FTS_D) {
        watch_folder(arg, e->fts_path);
    }
}

void data_files_watch(const struct conf_texts *folders, const struct watch *watch)
{
    walk(folders, watch_entry, (void *) (uintptr_t) watch);
}
