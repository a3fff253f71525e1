/* SPDX-License-Identifier: MPL-2.0 */
/* table - aligned text for people.
 *
 *     struct table t = {0};
 *     table_column(&t, "name", TABLE_LEFT); table_column(&t, "p99", TABLE_POINT);
 *     table_cell(&t, "%s", name); table_cell(&t, "%.10g", p99); ...    row after row
 *     table_print(&t, stdout, table_width(stdout));
 *     table_done(&t);
 *
 * Without any heading no line of headings is printed. Cells that were not given are empty. */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>
#include <stdio.h>

enum table_align {
    TABLE_LEFT,
    TABLE_RIGHT,
    TABLE_POINT, /* numbers: decimal points stand below each other */
    TABLE_WRAP,  /* text that is broken between words when the table is too wide: the last column only */
};

enum { TABLE_COLUMNS = 64 };

struct table {
    size_t indent;
    size_t n_columns;
    const char *heads[TABLE_COLUMNS]; /* borrowed */
    enum table_align aligns[TABLE_COLUMNS];
    char **cells; /* row by row */
    size_t n_cells, room;
};

/* At most TABLE_COLUMNS, before the first cell. */
void table_column(struct table *t, const char *head, enum table_align align);
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_print(const struct table *t, FILE *out, size_t width);
void table_done(struct table *t);

/* Columns of the terminal that `out` is, else $COLUMNS, else 0: without limit. */
size_t table_width(FILE *out);

/* Text wrapped to the width, each line indented. Line breaks and indented lines stay as they are. */
void table_paragraph(FILE *out, const char *text, size_t indent, size_t width);

#endif
