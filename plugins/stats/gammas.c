/* SPDX-License-Identifier: MPL-2.0 */
#include "gammas.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

#define HALF_LOG_2PI 0.9189385332046727417803L
#define COUNT(a)     (sizeof(a) / sizeof *(a))

/* c[0] + c[1] x + ... */
static long double polynomial(const long double *c, size_t n, long double x)
{
    long double sum = 0;
    while (n > 0) {
        sum = sum * x + c[--n];
    }
    return sum;
}

/* With r = u / (2 + u) the logarithm is 2 (r + r^3 / 3 + r^5 / 5 + ...), and 2 r - u = -r u. */
long double log1p_minus(long double u)
{
    if (!(fabsl(u) < 0.5L)) {
        return log1pl(u) - u;
    }
    const long double r = u / (2 + u), rr = r * r;
    long double sum = 1 / 3.0L, power = rr;
    for (int k = 5; power > LDBL_EPSILON / 4; k += 2, power *= rr) {
        sum += power / k;
    }
    return r * (2 * rr * sum - u);
}

/* B(2k) / (2k (2k - 1)) from k = 1; ten terms leave 3e-22 at 12. */
long double stirling_rest(long double z)
{
    static const long double c[] = {
        1 / 12.0L,           -1 / 360.0L, 1 / 1260.0L,       -1 / 1680.0L,      1 / 1188.0L,
        -691.0L / 360360.0L, 1 / 156.0L,  -3617 / 122400.0L, 43867 / 244188.0L, -174611 / 125400.0L,
    };
    if (z < 12) {
        return lgammal(z) - ((z - 0.5L) * logl(z) - z + HALF_LOG_2PI);
    }
    return polynomial(c, COUNT(c), 1 / (z * z)) / z;
}

/* Below 0.01 the series -gamma a + zeta(2) a^2 / 2 - zeta(3) a^3 / 3 + ...; from there on 1 + a is exact. */
long double log_gamma_1p(long double a)
{
    static const long double c[] = {
        -0.5772156649015328606065L, 0.8224670334241132182362L,  -0.4006856343865314284666L,
        0.270580808427784547879L,   -0.2073855510286739852663L, 0.1695571769974081899524L,
        -0.14404989676884611812L,   0.1255096695247430424223L,  -0.1113342658695646904909L,
    };
    return a < 0.01L ? a * polynomial(c, COUNT(c), a) : lgammal(1 + a);
}

/* The root of psi on the positive axis, and the Taylor series around it. */
static long double psi_near_root(long double x)
{
    static const long double c[] = {
        0.9676722454476211704274L,   -0.4427631689835921060929L,   0.2584997609556510106244L,
        -0.1639427054424065275043L,  0.1078240506912623657572L,    -0.07219956125645471092612L,
        0.04880428816414310722509L,  -0.03316112647484735929226L,  0.02259764823221810465962L,
        -0.0154247659049489591388L,  0.01053879161661217538812L,   -0.00720453438635686824097L,
        0.004926781395729853446354L, -0.003369801655439328082793L,
    };
    const long double d = (x - 0x1.762d86356be3fp+0L) - 9.549995429965697715184e-17L;
    return d * polynomial(c, COUNT(c), d);
}

/* psi(n, x) (-1)^(n + 1) / n! = zeta(n + 1, x): shifted up to where the asymptotic series in 1 / x^2, whose
 * terms are B(2k) (2k + n - 1)! / ((2k)! n! x^(2k + n)), is exact. */
static long double psi_positive(int n, long double x)
{
    static const long double bernoulli[] = {
        1 / 6.0L, -1 / 30.0L,     1 / 42.0L,      -1 / 30.0L,       5 / 66.0L,       -691 / 2730.0L,
        7 / 6.0L, -3617 / 510.0L, 43867 / 798.0L, -174611 / 330.0L, 854513 / 138.0L,
    };
    long double sum = 0;
    for (; x < 16 + n; x += 1) {
        sum += n == 0 ? 1 / x : powl(x, -(n + 1));
    }
    const long double rr = 1 / (x * x), lead = n == 0 ? 1 : powl(x, -n);
    long double power = lead * rr, rising = n == 0 ? 0.5L : (n + 1) / 2.0L; /* (2k + n - 1)! / ((2k)! n!) */
    sum += lead / (2 * x);
    for (int k = 1; k <= (int) COUNT(bernoulli); k++) {
        sum += bernoulli[k - 1] * rising * power;
        rising *= (long double) (2 * k + n) * (2 * k + n + 1) / ((long double) (2 * k + 1) * (2 * k + 2));
        power *= rr;
    }
    if (n == 0) {
        return logl(x) - sum;
    }
    return (n % 2 ? 1 : -1) * tgammal((long double) n + 1) * (sum + lead / n);
}

long double psi(int n, long double x)
{
    const long double pi = 3.141592653589793238463L;
    if (isnan(x) || (x <= 0 && (n > 0 || x == floorl(x)))) {
        return (long double) NAN;
    }
    if (x > 0) {
        return n == 0 && fabsl(x - 1.4616L) < 0.05L ? psi_near_root(x) : psi_positive(n, x);
    }
    const long double part = x - rintl(x);
    const long double cotangent =
        fabsl(part) <= 0.25L ? 1 / tanl(pi * part) : tanl(pi * ((part > 0 ? 0.5L : -0.5L) - part));
    return psi_positive(0, 1 - x) - pi * cotangent;
}

long double log_beta(long double a, long double b)
{
    const long double n = a + b;
    const long double log_p = a < b ? logl(a / n) : log1pl(-b / n),
                      log_q = a < b ? log1pl(-a / n) : logl(b / n);
    const long double rests = stirling_rest(a) + stirling_rest(b) - stirling_rest(n);
    return a * log_p + b * log_q - (logl(a / n) + logl(b)) / 2 + HALF_LOG_2PI + rests;
}
