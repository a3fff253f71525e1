/* SPDX-License-Identifier: MPL-2.0 */
#include "cycle.h"

#include <math.h>
#include <string.h>

#include "blocks.h"

#define pi     3.14159265358979323846
#define degree (pi / 180.0)

/* What cycle_measure() carries behind the earlier values. */
enum {
    PHASED = CYCLE_DETRENDED + CYCLE_QUADRATURES,
    TURNED,
    REAL,
    IMAGINARY,
    PERIOD,
    SMOOTH_PERIOD,
};

/* The filter, of values two bars apart. */
ALWAYS_INLINE double filtered(double now, double two, double four, double six)
{
    return 0.0962 * (now - six) + 0.5769 * (two - four);
}

/* Smoothed prices of the part and of the CYCLE_SMOOTHED bars before it; 0 before `start`. */
ALWAYS_INLINE void smooth_prices(const double *restrict x, struct part part, uint64_t start,
                                 double *restrict out)
{
    uint64_t number = part.origin + part.begin;
    size_t before = number - start < CYCLE_SMOOTHED ? (size_t) (number - start) : CYCLE_SMOOTHED;
    size_t none = CYCLE_SMOOTHED - before;
    memset(out, 0, none * sizeof(double));
    const double *now = x + part.begin - before;
    for (size_t i = 0; i < before + part.end - part.begin; i++) {
        const double *at = now + i;
        out[none + i] = (4.0 * at[0] + 3.0 * at[-1] + 2.0 * at[-2] + at[-3]) * 0.1;
    }
}

ALWAYS_INLINE double clamped(double a, double least_value, double most)
{
    a = a > most ? most : a;
    return a < least_value ? least_value : a;
}

/* atan(u) for |u| <= 0.5: a polynomial in z = u^2 for atan(u)/u that was interpolated at 14 Chebyshev nodes of 0..0.2525, with
 * a relative error of 3e-19. */
ALWAYS_INLINE double small_angle(double u, double beside)
{
    double z = u * u, z2 = z * z, z4 = z2 * z2, z8 = z4 * z4;
    double p0 = mul_add(-0.33333333333333295911, z, 1.0);
    double p2 = mul_add(-0.14285714284729191897, z, 0.19999999999990337543);
    double p4 = mul_add(-0.090909074060690643176, z, 0.1111111105855950424);
    double p6 = mul_add(-0.066661664251216867911, z, 0.076922725521821229959);
    double p8 = mul_add(-0.052275033668040766962, z, 0.058773509826207668672);
    double p10 = mul_add(-0.036894121460861667475, z, 0.045801077302004062701);
    double p12 = mul_add(-0.0081701812064617121136, z, 0.023340092577115075271);
    double low = mul_add(mul_add(p6, z2, p4), z4, mul_add(p2, z2, p0));
    double high = mul_add(p12, z4, mul_add(p10, z2, p8));
    return mul_add(u, mul_add(high, z8, low), beside);
}

/* 2 pi / atan(imaginary/real) where that lies within 6..50 bars, to nearly full precision; elsewhere something beyond on the same
 * side. Turning the angle by that of (1, turn), the middle of those wanted, leaves at most 0.5 for its tangent. */
ALWAYS_INLINE double bars_of_angle(double real, double imaginary)
{
    const double turn = 0.66439841151314031637, turned = 0.58643062867009473785;
    double y = real < 0.0 ? -imaginary : imaginary, x = fabs(real);
    double u = clamped(mul_add(-turn, x, y) / mul_add(turn, y, x), -0.5, 0.5);
    double bars = 2.0 * pi / small_angle(u, turned);
    return y < 0.0 ? 0.0 : bars;
}

/* atan(y/x) in degrees, to nearly full absolute precision; 0 for x = 0. */
ALWAYS_INLINE double degrees_of(double y, double x)
{
    const double turn = 0.41421356237309504880, eighth = pi / 8.0; /* tan(pi/8) */
    double up = fabs(y), across = fabs(x);
    double least_one = up < across ? up : across, most = up < across ? across : up;
    double u = mul_add(-turn, most, least_one) / mul_add(turn, least_one, most);
    double angle = small_angle(u, eighth);
    angle = up > across ? pi / 2.0 - angle : angle;
    angle = (y < 0.0) != (x < 0.0) ? -angle : angle;
    return x == 0.0 ? 0.0 : angle / degree;
}

/* The next period from the last one and from the components' product with those of the bar before. */
ALWAYS_INLINE double next_period(double last, double real, double imaginary)
{
    /* The last clamp wins, as where a first period of 0 is outside of 6..50. */
    double least_one = clamped(0.67 * last, 6.0, 50.0), most = clamped(1.5 * last, 6.0, 50.0);
    double bars = bars_of_angle(real, imaginary);
    bars = imaginary != 0.0 && real != 0.0 ? bars : last;
    return mul_add(0.2, clamped(bars, least_one, most), 0.8 * last);
}

KERNEL void cycle_measure(const double *x, struct part part, uint64_t start, double *state,
                          struct cycle *cycle)
{
    size_t n = part.end - part.begin;
    const double *smooth = cycle->smooth + CYCLE_SMOOTHED;
    double *detrended = cycle->detrended + CYCLE_DETRENDED,
           *quadrature = cycle->quadrature + CYCLE_QUADRATURES;
    memcpy(cycle->detrended, state, CYCLE_DETRENDED * sizeof(double));
    memcpy(cycle->quadrature, state + CYCLE_DETRENDED, CYCLE_QUADRATURES * sizeof(double));
    smooth_prices(x, part, start, cycle->smooth);
    for (size_t i = 0; i < n; i++) {
        const double *s = smooth + i;
        detrended[i] = filtered(s[0], s[-2], s[-4], s[-6]);
    }
    double phased = state[PHASED], turned = state[TURNED], real = state[REAL], imaginary = state[IMAGINARY];
    double period = state[PERIOD], smooth_period = state[SMOOTH_PERIOD];
    for (size_t i = 0; i < n; i++) {
        /* The period waits for the last one through its tuning t alone. So that it does not wait long, the components are written
         * as polynomials in t, whose coefficients are known before:
         *     detrended = t d0, quadrature = t (q1 + a detrended), and so on. */
        const double *d = detrended + i, *q = quadrature + i;
        const double a = 0.0962;
        double q1 = filtered(0.0, d[-2], d[-4], d[-6]), q2 = a * d[0];
        double turned_quadrature = filtered(0.0, q[-2], q[-4], q[-6]);
        double turned_phase = filtered(d[-3], d[-5], d[-7], d[-9]);
        double phased0 = 0.2 * d[-3] + 0.8 * phased, phased1 = -0.2 * turned_quadrature;
        double phased2 = -0.2 * a * q1, phased3 = -0.2 * a * q2;
        double turned0 = 0.8 * turned, turned1 = 0.2 * (q1 + turned_phase), turned2 = 0.2 * q2;
        double tuning = mul_add(0.075, period, 0.54), square = tuning * tuning;
        double now_phased =
            mul_add(square, mul_add(phased3, tuning, phased2), mul_add(phased1, tuning, phased0));
        double now_turned = mul_add(square, turned2, mul_add(turned1, tuning, turned0));
        detrended[i] *= tuning;
        quadrature[i] = mul_add(square, q2, q1 * tuning);
        real = mul_add(now_phased, 0.2 * phased, mul_add(now_turned, 0.2 * turned, 0.8 * real));
        imaginary = mul_add(now_phased, 0.2 * turned, mul_add(-now_turned, 0.2 * phased, 0.8 * imaginary));
        turned = now_turned;
        phased = now_phased;
        period = next_period(period, real, imaginary);
        smooth_period = 0.33 * period + 0.67 * smooth_period;
        cycle->period[i] = smooth_period;
    }
    state[PHASED] = phased;
    state[TURNED] = turned;
    state[REAL] = real;
    state[IMAGINARY] = imaginary;
    state[PERIOD] = period;
    state[SMOOTH_PERIOD] = smooth_period;
    memcpy(state, cycle->detrended + n, CYCLE_DETRENDED * sizeof(double));
    memcpy(state + CYCLE_DETRENDED, cycle->quadrature + n, CYCLE_QUADRATURES * sizeof(double));
}

size_t cycle_bars(double period)
{
    double bars = period + 0.5;
    return bars >= 1.0 ? bars < CYCLE_LONGEST ? (size_t) bars : CYCLE_LONGEST : 0;
}

/* ---- phase --------------------------------------------------------------------------------------- */

/* Sines and cosines of the whole parts of a turn, the newest bar's last, padded in front with zeros to whole vectors. */
enum { WAVE = (CYCLE_LONGEST + BLOCKS_ABREAST - 1) / BLOCKS_ABREAST * BLOCKS_ABREAST };

struct wave {
    double sine[WAVE], cosine[WAVE];
};

/* Computed when a cycle of that length is first met; a plugin is entered by one thread only. */
static const struct wave *wave_of(size_t bars)
{
    static struct wave waves[CYCLE_LONGEST + 1];
    struct wave *wave = &waves[bars];
    if (wave->cosine[WAVE - 1] == 0.0) {
        for (size_t age = 0; age < bars; age++) {
            double angle = 2.0 * pi * (double) age / (double) bars;
            wave->sine[WAVE - 1 - age] = sin(angle);
            wave->cosine[WAVE - 1 - age] = cos(angle);
        }
    }
    return wave;
}

/* Sums of the products of the last smoothed prices with a wave. */
ALWAYS_INLINE void resonance(const double *restrict newest, size_t bars, double *ret_sine, double *ret_cosine)
{
    *ret_sine = *ret_cosine = 0.0;
    if (bars == 0) {
        return;
    }
    const struct wave *wave = wave_of(bars);
    const double *sine = wave->sine + WAVE, *cosine = wave->cosine + WAVE, *end = newest + 1;
    quad sines = blocks_quad(0.0), cosines = blocks_quad(0.0);
    for (ptrdiff_t back = BLOCKS_ABREAST; back < (ptrdiff_t) bars + BLOCKS_ABREAST; back += BLOCKS_ABREAST) {
        quad price, s, c;
        memcpy(&price, end - back, sizeof(price));
        memcpy(&s, sine - back, sizeof(s));
        memcpy(&c, cosine - back, sizeof(c));
        sines += price * s;
        cosines += price * c;
    }
    *ret_sine = (sines[0] + sines[1]) + (sines[2] + sines[3]);
    *ret_cosine = (cosines[0] + cosines[1]) + (cosines[2] + cosines[3]);
}

KERNEL void cycle_phase(const struct cycle *cycle, size_t n, double *state, double *out)
{
    const double *smooth = cycle->smooth + CYCLE_SMOOTHED;
    double phase = state[0];
    for (size_t i = 0; i < n; i++) {
        double period = cycle->period[i], sine, cosine;
        resonance(smooth + i, cycle_bars(period), &sine, &cosine);
        if (cosine != 0.0) {
            phase = atan(sine / cosine) / degree;
        } else if (sine != 0.0) {
            phase += sine < 0.0 ? -90.0 : 90.0;
        }
        phase += 90.0 + 360.0 / period;
        phase += cosine < 0.0 ? 180.0 : 0.0;
        phase -= phase > 315.0 ? 360.0 : 0.0;
        out[i] = phase;
    }
    state[0] = phase;
}

void cycle_sine(const double *degrees, size_t n, double shift, double *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = sin((degrees[i] + shift) * degree);
    }
}

/* ---- trend --------------------------------------------------------------------------------------- */

/* CYCLE_SMOOTHED zeros and as many ones: from row n on, the weights that choose the n newest of CYCLE_SMOOTHED bars. */
static const double *chosen(size_t n)
{
    static double weights[2 * CYCLE_SMOOTHED];
    if (weights[CYCLE_SMOOTHED] == 0.0) {
        for (size_t i = CYCLE_SMOOTHED; i < 2 * (size_t) CYCLE_SMOOTHED; i++) {
            weights[i] = 1.0;
        }
    }
    return weights + n;
}

/* there: bars up to and with the newest. */
ALWAYS_INLINE double mean_of_last(const double *newest, size_t bars, uint64_t there)
{
    if (bars == 0) {
        return 0.0;
    }
    double total = 0.0;
    if (there >= CYCLE_SMOOTHED) { /* no loop whose length would have to be guessed */
        const double *price = newest + 1 - CYCLE_SMOOTHED, *weight = chosen(bars);
        quad sum = blocks_quad(0.0);
        for (size_t i = 0; i < CYCLE_SMOOTHED; i += BLOCKS_ABREAST) {
            quad p, w;
            memcpy(&p, price + i, sizeof(p));
            memcpy(&w, weight + i, sizeof(w));
            sum += p * w;
        }
        total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    } else {
        for (size_t age = 0; age < bars && age < there; age++) {
            total += *(newest - age);
        }
    }
    return total / (double) bars;
}

KERNEL void cycle_trendline(const double *x, struct part part, const struct cycle *cycle, double *state,
                            double *out)
{
    double one = state[0], two = state[1], three = state[2];
    for (size_t i = part.begin; i < part.end; i++) {
        /* A state from elsewhere may ask for more bars than there are. */
        double mean = mean_of_last(x + i, cycle_bars(cycle->period[i - part.begin]), part.origin + i + 1);
        out[i - part.begin] = (4.0 * mean + 3.0 * one + 2.0 * two + three) / 10.0;
        three = two;
        two = one;
        one = mean;
    }
    state[0] = one;
    state[1] = two;
    state[2] = three;
}

enum { LAST_PHASE, LAST_SINE, LAST_LEAD, DAYS };

void cycle_trend_mode(const struct cycle *cycle, size_t n, const double *phase, const double *sine,
                      const double *lead, const double *trendline, double *state, double *out)
{
    double last_phase = state[LAST_PHASE], last_sine = state[LAST_SINE], last_lead = state[LAST_LEAD];
    double days = state[DAYS];
    for (size_t i = 0; i < n; i++) {
        double period = cycle->period[i], turn = phase[i] - last_phase, cycles = 360.0 / period;
        double price = cycle->smooth[CYCLE_SMOOTHED + i], is_trend = 1.0;
        if ((sine[i] > lead[i] && last_sine <= last_lead) || (sine[i] < lead[i] && last_sine >= last_lead)) {
            days = 0.0;
            is_trend = 0.0;
        }
        days += 1.0;
        if (days < 0.5 * period || (period != 0.0 && turn > 0.67 * cycles && turn < 1.5 * cycles)) {
            is_trend = 0.0;
        }
        if (trendline[i] != 0.0 && fabs((price - trendline[i]) / trendline[i]) >= 0.015) {
            is_trend = 1.0;
        }
        out[i] = is_trend;
        last_phase = phase[i];
        last_sine = sine[i];
        last_lead = lead[i];
    }
    state[LAST_PHASE] = last_phase;
    state[LAST_SINE] = last_sine;
    state[LAST_LEAD] = last_lead;
    state[DAYS] = days;
}

/* ---- adaptive average ---------------------------------------------------------------------------- */

enum { MAMA, FAMA, MAMA_PHASE };

/* How far the average moves at each bar, from the phase; *last is that of the bar before. */
ALWAYS_INLINE void mama_paces(const struct cycle *cycle, size_t n, double fast, double slow, double *last,
                              double *restrict pace)
{
    double phase[1 + KERNEL_CHUNK];
    phase[0] = *last;
    for (size_t i = 0; i < n; i++) {
        phase[1 + i] = degrees_of(cycle_quadrature(cycle, i), cycle_in_phase(cycle, i));
    }
    for (size_t i = 0; i < n; i++) {
        double turn = phase[i] - phase[1 + i], quotient = fast / turn;
        quotient = quotient < slow ? slow : quotient;
        pace[i] = turn > 1.0 ? quotient : fast;
    }
    *last = phase[n];
}

KERNEL void cycle_mama(const double *x, struct part part, const struct cycle *cycle, double fast, double slow,
                       double *state, double *mama, double *fama)
{
    double pace[KERNEL_CHUNK], quick = state[MAMA], calm = state[FAMA];
    mama_paces(cycle, part.end - part.begin, fast, slow, &state[MAMA_PHASE], pace);
    for (size_t i = part.begin; i < part.end; i++) {
        double take = pace[i - part.begin], half = 0.5 * take;
        quick = mul_add(1.0 - take, quick, take * x[i]);
        calm = mul_add(1.0 - half, calm, half * quick);
        mama[i] = quick;
        if (fama) {
            fama[i] = calm;
        }
    }
    state[MAMA] = quick;
    state[FAMA] = calm;
}
