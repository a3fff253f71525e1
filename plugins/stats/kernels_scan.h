/* SPDX-License-Identifier: MPL-2.0 */
/* The part of kernels_body.h that adds up in order.
 *
 * A sum rounded at each step looks as if each addition had to wait for the one before. But as long as it
 * stays within one power of two, 2^e <= |sum| < 2^(e + 1), it is a multiple of u = 2^(e - 52), and what an
 * addition does is to add x rounded to a multiple of u. These rounded values do not depend on the sum, and
 * their sums are exact in any order: they can be added side by side. The exception is an x halfway between
 * two multiples, which goes where the sum becomes an even one; that is mended afterwards, in order. A chunk
 * in which the sum leaves its power of two, or comes close to its ends, is added up one by one. */

#if W > 2

enum { SCAN = 32, SCAN_TIES = 6, SCAN_MOST_BY_ONE = 8 * SCAN };

/* Adds `by` to out[from] and all behind it in the chunk. */
static void scan_move(double *out, size_t from, double by)
{
    for (size_t i = from; i < SCAN; i++) {
        out[i] += by;
    }
}

/* Where x is halfway, the sum took one of the two neighbours; if it is the odd one it has to be the other. */
static void scan_mend(const double *x, double *out, uint32_t ties, double half, double magic)
{
    while (ties) {
        const size_t i = (size_t) __builtin_ctz(ties);
        ties &= ties - 1;
        uint64_t bits;
        memcpy(&bits, &out[i], sizeof bits);
        if (bits & 1) {
            const double taken = (x[i] + magic) - magic;
            scan_move(out, i, x[i] > taken ? 2 * half : -2 * half);
        }
    }
}

/* What a sum with a certain sign and exponent is added up with. */
struct scan_bounds {
    double half, magic;
    double from, to; /* where sums may be: leaves room for SCAN moves by 2 half */
};

/* false when sums of this size cannot be treated so. */
static bool scan_bounds_of(double sum, struct scan_bounds *ret)
{
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    bits &= (uint64_t) 0x7ff << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    const double low = power * (1 + 0x1p-46), high = power * (2 - 0x1p-46);
    *ret = (struct scan_bounds){power * 0x1p-53, power * 1.5, sum > 0 ? low : -high, sum > 0 ? high : -low};
    return power > 0x1p-900 && power < 0x1p1000;
}

/* Adds chunks side by side as long as that gives the same; returns how many values that were. */
static size_t scan_chunks(const double *x, size_t n, double sum, double *out)
{
    struct scan_bounds b;
    if (!scan_bounds_of(sum, &b)) {
        return 0;
    }
    const vec m = v_set(b.magic), h = v_set(b.half);
    vec base = v_set(sum);
    size_t done = 0;
    for (; done + SCAN <= n; done += SCAN) {
        vec least = base, most = base;
        vec_int strange = {0}; /* where adding m left the power of two of m, as for NaN and infinities */
        uint32_t ties = 0;
        for (size_t i = 0; i < SCAN; i += W) {
            const vec v = v_load(x + done + i), t = v + m, r = t - m;
            strange |= (vec_int) t ^ (vec_int) m;
            ties |= (uint32_t) v_equal(v_abs(v - r), h) << i;
            const vec sums = v_scan(r), p = sums + base;
            base += v_last(sums);
            least = v_min(p, least);
            most = v_max(p, most);
            v_store(out + done + i, p);
        }
        if (v_any_less(least, v_set(b.from)) || v_any_less(v_set(b.to), most) ||
            v_any_bits(strange, -((int64_t) 1 << 52)) || __builtin_popcount(ties) > SCAN_TIES) {
            break;
        }
        if (ties) {
            scan_mend(x + done, out + done, ties, b.half, b.magic);
            base = v_set(out[done + SCAN - 1]);
        }
    }
    return done;
}

#endif

static double add_up(const double *x, size_t n, double sum, double *out)
{
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        out[i] = sum;
    }
    return sum;
}

static double cumsum(const double *x, size_t n, double sum, double *out)
{
    size_t i = 0;
#if W > 2
    size_t by_one = SCAN; /* grows while chunks are tried in vain */
    while (i + SCAN <= n) {
        const size_t done = scan_chunks(x + i, n - i, sum, out + i);
        sum = done ? out[i + done - 1] : sum;
        i += done;
        by_one = done > SCAN ? SCAN : by_one < SCAN_MOST_BY_ONE ? 2 * by_one : by_one;
        const size_t count = n - i < by_one ? n - i : by_one;
        sum = add_up(x + i, count, sum, out + i);
        i += count;
    }
#endif
    return add_up(x + i, n - i, sum, out + i);
}
