/* SPDX-License-Identifier: MPL-2.0 */
/* npy - what a .npy file says about itself, and numbers as they lie in files.
 *
 * The header comes from a stranger: every field is checked, and nothing of it is believed beyond the bytes
 * that are there. */
#ifndef NPY_H
#define NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NPY_MAX_HEADER = 65536,
    NPY_MAX_RANK = 32,
    NPY_REASON = 160, /* bytes of a sentence that says what is wrong */
};

/* Converts n numbers at `from`, in any alignment, to doubles. */
typedef void npy_convert(const unsigned char *from, size_t n, double *to);

struct npy_type {
    const char *name; /* "f8", as in descr behind the byte order */
    size_t bytes;
    npy_convert *straight, *swapped; /* swapped: of the other byte order */
};

struct npy {
    const struct npy_type *type;
    bool swapped, fortran;
    uint32_t rank;
    int64_t shape[NPY_MAX_RANK];
    int64_t count;
    size_t data; /* offset of the first value */
};

/* A type by its name, with a byte order ('<', '>', '=' or '|') or without one (this machine's). NULL:
 * unknown. */
const struct npy_type *npy_type_of(const char *name, size_t length, bool *ret_swapped);

/* Bytes of the header, its first 12 bytes included, told from these; 0 when they are none of a .npy file,
 * with the reason. */
size_t npy_header_bytes(const unsigned char *start, size_t bytes, char reason[NPY_REASON]);

/* Reads the whole header. file_bytes: size of the file, which must hold all values. */
bool npy_read(const unsigned char *header, size_t bytes, uint64_t file_bytes, struct npy *ret,
              char reason[NPY_REASON]);

#endif
