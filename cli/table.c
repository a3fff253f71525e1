/* SPDX-License-Identifier: MPL-2.0 */
#include "table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "mem.h"

enum { GAP = 2, WRAP_LEAST = 24 };

/* Characters, taken as one column each: bytes that do not continue a UTF-8 character. */
static size_t columns_of(const char *text, size_t bytes)
{
    size_t n = 0;
    for (size_t i = 0; i < bytes; i++) {
        n += ((unsigned char) text[i] & 0xc0) != 0x80;
    }
    return n;
}

static void spaces(FILE *out, size_t n)
{
    fprintf(out, "%*s", (int) n, "");
}

void table_column(struct table *t, const char *head, enum table_align align)
{
    assert(t->n_columns < TABLE_COLUMNS && !t->n_cells);
    t->heads[t->n_columns] = head;
    t->aligns[t->n_columns++] = align;
}

void table_cell(struct table *t, const char *format, ...)
{
    if (t->n_cells == t->room) {
        t->room = t->room ? 2 * t->room : 64;
        t->cells = mem_grow(t->cells, t->room * sizeof *t->cells);
    }
    va_list ap;
    va_start(ap, format);
    char *text = NULL;
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    t->cells[t->n_cells++] = n >= 0 ? text : mem_text("");
}

void table_done(struct table *t)
{
    for (size_t i = 0; i < t->n_cells; i++) {
        mem_free(t->cells[i]);
    }
    mem_free(t->cells);
    *t = (struct table){.indent = t->indent};
}

/* Where a number's decimal point is, or would be: digits in front, and what comes behind. Text counts as all in front. */
static void split_point(const char *cell, size_t *ret_front, size_t *ret_behind)
{
    size_t all = columns_of(cell, strlen(cell));
    size_t front = strspn(cell, "+-0123456789");
    bool number = front > 0 && (cell[front] == '.' || cell[front] == 'e' || cell[front] == '\0');
    *ret_front = number ? front : all;
    *ret_behind = all - *ret_front;
}

struct widths {
    size_t whole[TABLE_COLUMNS], behind[TABLE_COLUMNS];
};

static void measure(const struct table *t, struct widths *w)
{
    *w = (struct widths){0};
    for (size_t c = 0; c < t->n_columns; c++) {
        size_t front = 0, behind = 0, other = t->heads[c] ? columns_of(t->heads[c], strlen(t->heads[c])) : 0;
        for (size_t i = c; i < t->n_cells; i += t->n_columns) {
            size_t f, b;
            if (t->aligns[c] == TABLE_POINT) {
                split_point(t->cells[i], &f, &b);
                front = f > front ? f : front;
                behind = b > behind ? b : behind;
            } else {
                f = columns_of(t->cells[i], strlen(t->cells[i]));
                other = f > other ? f : other;
            }
        }
        w->behind[c] = behind;
        w->whole[c] = front + behind > other ? front + behind : other;
    }
}

/* How many bytes of text fit into `width` columns, broken at a blank when there is one. */
static size_t fitting(const char *text, size_t width)
{
    size_t bytes = strcspn(text, "\n"), last_blank = 0, used = 0, i = 0;
    while (i < bytes) {
        if (text[i] == ' ') {
            last_blank = i;
        }
        size_t next = i + 1;
        while (next < bytes && ((unsigned char) text[next] & 0xc0) == 0x80) {
            next++;
        }
        if (++used > width && text[i] != ' ') {
            return last_blank ? last_blank : i ? i : next;
        }
        i = next;
    }
    return bytes;
}

/* Prints text in lines of at most `width` columns, all but the first indented. Ends with a newline. */
static void wrap(FILE *out, const char *text, size_t indent, size_t width)
{
    for (;;) {
        size_t n = width ? fitting(text, width) : strcspn(text, "\n");
        size_t shown = n;
        while (shown && text[shown - 1] == ' ') {
            shown--;
        }
        fprintf(out, "%.*s\n", (int) shown, text);
        text += n;
        text += *text == '\n' ? 1 : strspn(text, " ");
        if (!*text) {
            return;
        }
        spaces(out, indent);
    }
}

static void print_cell(FILE *out, const char *cell, enum table_align align, size_t width, size_t behind,
                       bool last)
{
    size_t used = columns_of(cell, strlen(cell)), pad = width > used ? width - used : 0, left = 0;
    if (align == TABLE_RIGHT) {
        left = pad;
    } else if (align == TABLE_POINT) {
        size_t front, b;
        split_point(cell, &front, &b);
        left = b <= behind && pad >= behind - b ? pad - (behind - b) : pad;
    }
    spaces(out, left);
    fputs(cell, out);
    if (!last) {
        spaces(out, pad - left + GAP);
    }
}

static void print_line(const struct table *t, FILE *out, char *const *cells, size_t n, const struct widths *w,
                       size_t width)
{
    spaces(out, t->indent);
    size_t at = t->indent;
    while (n > 1 && !*cells[n - 1]) { /* no blanks at the end of a line */
        n--;
    }
    for (size_t c = 0; c < n; c++) {
        if (t->aligns[c] == TABLE_WRAP && c + 1 == t->n_columns) {
            wrap(out, cells[c], at, width > at + WRAP_LEAST ? width - at : width ? WRAP_LEAST : 0);
            return;
        }
        print_cell(out, cells[c], t->aligns[c], w->whole[c], w->behind[c], c + 1 == n);
        at += w->whole[c] + GAP;
    }
    fputc('\n', out);
}

void table_print(const struct table *t, FILE *out, size_t width)
{
    struct widths w;
    measure(t, &w);
    bool any = false;
    char *heads[TABLE_COLUMNS];
    for (size_t c = 0; c < t->n_columns; c++) {
        heads[c] = mem_text(t->heads[c] ? t->heads[c] : "");
        any = any || t->heads[c];
    }
    if (any) {
        struct widths plain = w; /* headings have no decimal point: they stand at the right */
        memset(plain.behind, 0, sizeof plain.behind);
        print_line(t, out, heads, t->n_columns, &plain, width);
    }
    for (size_t c = 0; c < t->n_columns; c++) {
        mem_free(heads[c]);
    }
    for (size_t i = 0; i < t->n_cells; i += t->n_columns) {
        size_t n = t->n_cells - i < t->n_columns ? t->n_cells - i : t->n_columns;
        print_line(t, out, t->cells + i, n, &w, width);
    }
}

size_t table_width(FILE *out)
{
    struct winsize size;
    if (isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    const char *columns = getenv("COLUMNS");
    long n = columns ? strtol(columns, NULL, 10) : 0;
    return n > 0 && n < 10000 ? (size_t) n : 0;
}

void table_paragraph(FILE *out, const char *text, size_t indent, size_t width)
{
    size_t room = width > indent + WRAP_LEAST ? width - indent : width ? WRAP_LEAST : 0;
    while (*text) {
        size_t n = strcspn(text, "\n");
        char *line = mem_alloc(n + 1);
        memcpy(line, text, n);
        if (n) {
            spaces(out, indent);
        }
        wrap(out, line, indent, room);
        mem_free(line);
        text += n + (text[n] == '\n');
    }
}
