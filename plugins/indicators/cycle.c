/* SPDX-License-Identifier: MPL-2.0 */
#include "cycle.h"

#include <math.h>
#include <string.h>

#include "blocks.h"

static const double pi = 3.14159265358979323846;
static const double degree = 3.14159265358979323846 / 180.0;

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

/* The next period from the last one and from the components' product with those of the bar before. */
ALWAYS_INLINE double next_period(double last, double real, double imaginary)
{
    double measured = last;
    if (imaginary != 0.0 && real != 0.0) {
        measured = 2.0 * pi / atan(imaginary / real);
    }
    measured = clamped(clamped(measured, 0.67 * last, 1.5 * last), 6.0, 50.0);
    return 0.2 * measured + 0.8 * last;
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
        double tuning = 0.075 * period + 0.54;
        const double *d = detrended + i, *q = quadrature + i;
        detrended[i] *= tuning;
        quadrature[i] = filtered(d[0], d[-2], d[-4], d[-6]) * tuning;
        double turned_phase = filtered(d[-3], d[-5], d[-7], d[-9]) * tuning;
        double turned_quadrature = filtered(q[0], q[-2], q[-4], q[-6]) * tuning;
        double now_turned = 0.2 * (q[0] + turned_phase) + 0.8 * turned;
        double now_phased = 0.2 * (d[-3] - turned_quadrature) + 0.8 * phased;
        real = 0.2 * (now_phased * phased + now_turned * turned) + 0.8 * real;
        imaginary = 0.2 * (now_phased * turned - now_turned * phased) + 0.8 * imaginary;
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

ALWAYS_INLINE double mean_of_last(const double *newest, size_t bars)
{
    double sum = 0.0;
    for (size_t age = 0; age < bars; age++) {
        sum += *(newest - age);
    }
    return bars > 0 ? sum / (double) bars : 0.0;
}

KERNEL void cycle_trendline(const double *x, struct part part, const struct cycle *cycle, double *state,
                            double *out)
{
    double one = state[0], two = state[1], three = state[2];
    for (size_t i = part.begin; i < part.end; i++) {
        /* A state from elsewhere may ask for more bars than there are. */
        uint64_t there = part.origin + i + 1;
        size_t bars = cycle_bars(cycle->period[i - part.begin]);
        double mean = mean_of_last(x + i, bars < there ? bars : (size_t) there);
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

KERNEL void cycle_mama(const double *x, struct part part, const struct cycle *cycle, double fast, double slow,
                       double *state, double *mama, double *fama)
{
    double quick = state[MAMA], calm = state[FAMA], last = state[MAMA_PHASE];
    for (size_t i = part.begin; i < part.end; i++) {
        size_t row = i - part.begin;
        double in_phase = cycle_in_phase(cycle, row);
        double phase = in_phase != 0.0 ? atan(cycle_quadrature(cycle, row) / in_phase) / degree : 0.0;
        double turn = last - phase;
        double pace = turn > 1.0 ? fast / turn : fast;
        pace = turn > 1.0 && pace < slow ? slow : pace;
        quick = pace * x[i] + (1.0 - pace) * quick;
        calm = 0.5 * pace * quick + (1.0 - 0.5 * pace) * calm;
        last = phase;
        mama[i] = quick;
        if (fama) {
            fama[i] = calm;
        }
    }
    state[MAMA] = quick;
    state[FAMA] = calm;
    state[MAMA_PHASE] = last;
}
