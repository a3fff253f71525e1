/* SPDX-License-Identifier: MPL-2.0 */
#include "keyring.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <czmq.h>

#include "mem.h"

enum { KEYS_MOST = 100000 };

static const struct list {
    const char *folder, *name;
    enum role role;
} lists[ROLES] = {{"producers", "producer", ROLE_PRODUCER},
                  {"workers", "worker", ROLE_WORKER},
                  {"admins", "admin", ROLE_ADMIN}};

struct keyring {
    zhashx_t *users; /* by key */
};

const char *roles_text(unsigned roles)
{
    static const char *const texts[] = {
        "nobody", "producer",           "worker",           "producer and worker",
        "admin",  "producer and admin", "worker and admin", "producer, worker and admin"};
    return texts[roles & 7];
}

static void user_free(void **item)
{
    mem_free(*item);
    *item = NULL;
}

void keyring_free(struct keyring **keyring)
{
    if (*keyring) {
        zhashx_destroy(&(*keyring)->users);
        mem_free(*keyring);
        *keyring = NULL;
    }
}

const struct user *keyring_find(struct keyring *k, const char *key)
{
    return zhashx_lookup(k->users, key);
}

const struct user *keyring_first(struct keyring *k)
{
    return zhashx_first(k->users);
}

const struct user *keyring_next(struct keyring *k)
{
    return zhashx_next(k->users);
}

size_t keyring_count(struct keyring *k, enum role role)
{
    size_t n = 0;
    for (const struct user *u = keyring_first(k); u; u = keyring_next(k)) {
        n += (u->roles & role) != 0;
    }
    return n;
}

/* Whoever can write here can let himself in. */
static int check_ours(const char *path, struct err *err)
{
    struct stat st;
    if (stat(path, &st)) {
        return err_set(err, KILN_INVALID, "keys", "%s: cannot be read: %s", path, strerror(errno));
    }
    if ((st.st_mode & 0022) || (st.st_uid != 0 && st.st_uid != geteuid())) {
        return err_set(
            err, KILN_DENIED, "keys",
            "%s belongs to user %u and its mode is %04o, expected one of root's or of the broker's own that "
            "no others can write",
            path, (unsigned) st.st_uid, (unsigned) (st.st_mode & 07777));
    }
    return 0;
}

static int add(struct keyring *k, const struct list *list, const char *name, const char *path,
               struct err *err)
{
    struct curve_public public;
    int status = check_ours(path, err);
    status = status ? status : curve_read_public(path, &public, err);
    if (status) {
        return status;
    }
    if (public.role[0] && strcmp(public.role, list->name) != 0) {
        return err_set(err, KILN_INVALID, "keys", "%s is the key of a %s, and lies in the list of %s", path,
                       public.role, list->folder);
    }
    struct user *u = zhashx_lookup(k->users, public.key);
    if (u && strcmp(u->name, name) != 0) {
        return err_set(err, KILN_INVALID, "keys",
                       "%s holds the same key as \"%s\", expected one name for each key", path, u->name);
    }
    if (!u && zhashx_size(k->users) >= KEYS_MOST) {
        return err_set(err, KILN_INVALID, "keys", "%s: there are %d keys already", path, KEYS_MOST);
    }
    if (!u) {
        u = mem_alloc(sizeof *u);
        snprintf(u->name, sizeof u->name, "%s", name);
        memcpy(u->key, public.key, sizeof u->key);
        zhashx_insert(k->users, u->key, u);
    }
    u->roles |= list->role;
    return 0;
}

/* Names go into logs as they are. */
static bool good_name(const char *name)
{
    for (const char *c = name; *c; c++) {
        if ((unsigned char) *c <= ' ' || (unsigned char) *c >= 0x7f || *c == '"' || *c == '=') {
            return false;
        }
    }
    return name[0] && strlen(name) < CURVE_NAME;
}

static int read_list(struct keyring *k, const struct list *list, const char *folder, struct err *err)
{
    char path[1024], name[300];
    snprintf(path, sizeof path, "%s/%s", folder, list->folder);
    DIR *dir = opendir(path);
    if (!dir && errno == ENOENT) {
        return 0; /* nobody has this role */
    }
    if (!dir) {
        return err_set(err, KILN_INVALID, "keys", "%s: cannot be read: %s", path, strerror(errno));
    }
    int status = check_ours(path, err);
    for (struct dirent *e; !status && (e = readdir(dir));) {
        size_t n = strlen(e->d_name);
        if (n < 5 || e->d_name[0] == '.' || strcmp(e->d_name + n - 4, ".key") != 0) {
            continue; /* an editor's leavings, a README */
        }
        snprintf(name, sizeof name, "%.*s", (int) (n - 4), e->d_name);
        snprintf(path, sizeof path, "%s/%s/%s", folder, list->folder, e->d_name);
        status = good_name(name)
                     ? add(k, list, name, path, err)
                     : err_set(err, KILN_INVALID, "keys",
                               "%s: the name of a key has 1 to 63 printed characters without blanks", path);
    }
    closedir(dir);
    return status;
}

int keyring_load(const char *folder, struct keyring **ret_keyring, struct err *err)
{
    int status = check_ours(folder, err);
    if (status) {
        return status;
    }
    struct keyring *k = mem_alloc(sizeof *k);
    k->users = zhashx_new();
    zhashx_set_key_duplicator(k->users, NULL); /* the key is in the user */
    zhashx_set_key_destructor(k->users, NULL);
    zhashx_set_destructor(k->users, user_free);
    for (size_t i = 0; !status && i < ROLES; i++) {
        status = read_list(k, &lists[i], folder, err);
    }
    if (status) {
        keyring_free(&k);
        return status;
    }
    *ret_keyring = k;
    return 0;
}
