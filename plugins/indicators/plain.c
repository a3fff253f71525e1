/* SPDX-License-Identifier: MPL-2.0 */
#include "plain.h"

#include <math.h>

/* Widening to long double is what this file is for. */
#pragma GCC diagnostic ignored "-Wdouble-promotion"

static long double mean_of(const double *x, size_t n)
{
    long double sum = 0.0L;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
    }
    return sum / n;
}

void plain_mean(const double *x, size_t n, size_t period, double *out)
{
    for (size_t i = period - 1; i < n; i++) {
        out[i] = (double) mean_of(x + i + 1 - period, period);
    }
}

void plain_moments(const double *x, size_t n, size_t period, double *out_mean, double *out_variance)
{
    for (size_t i = period - 1; i < n; i++) {
        const double *window = x + i + 1 - period;
        long double mean = mean_of(window, period), sum = 0.0L;
        for (size_t j = 0; j < period; j++) {
            sum += (window[j] - mean) * (window[j] - mean);
        }
        out_mean[i] = (double) mean;
        out_variance[i] = (double) (sum / period);
    }
}

static double vwap_of(const double *high, const double *low, const double *close, const double *volume,
                      size_t from, size_t to)
{
    long double paid = 0.0L, traded = 0.0L;
    for (size_t i = from; i < to; i++) {
        paid += ((long double) high[i] + low[i] + close[i]) / 3.0L * volume[i];
        traded += volume[i];
    }
    return traded > 0.0L ? (double) (paid / traded) : (double) NAN;
}

void plain_moving_vwap(const double *high, const double *low, const double *close, const double *volume,
                       size_t n, size_t period, double *out)
{
    for (size_t i = period - 1; i < n; i++) {
        out[i] = vwap_of(high, low, close, volume, i + 1 - period, i + 1);
    }
}

void plain_vwap(const double *high, const double *low, const double *close, const double *volume, size_t n,
                double *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = vwap_of(high, low, close, volume, 0, i + 1);
    }
}

static long double ema_step(long double y, size_t period, long double x)
{
    return y + 2.0L / (period + 1.0L) * (x - y);
}

void plain_ema(const double *x, size_t n, size_t period, double *out)
{
    long double y = mean_of(x, period);
    out[period - 1] = (double) y;
    for (size_t i = period; i < n; i++) {
        y = ema_step(y, period, x[i]);
        out[i] = (double) y;
    }
}

void plain_macd(const double *x, size_t n, size_t fast, size_t slow, size_t signal, double *out_macd,
                double *out_signal, double *out_histogram)
{
    long double quick = mean_of(x + slow - fast, fast), calm = mean_of(x, slow), sum = 0.0L, y = 0.0L;
    size_t last_seed = slow + signal - 2;
    for (size_t i = slow - 1; i < n; i++) {
        if (i >= slow) {
            quick = ema_step(quick, fast, x[i]);
            calm = ema_step(calm, slow, x[i]);
        }
        long double macd = quick - calm;
        if (i <= last_seed) {
            sum += macd;
            y = sum / signal;
        } else {
            y = ema_step(y, signal, macd);
        }
        if (i >= last_seed) {
            out_macd[i] = (double) macd;
            out_signal[i] = (double) y;
            out_histogram[i] = (double) (macd - y);
        }
    }
}

void plain_rsi(const double *x, size_t n, size_t period, double *out)
{
    long double gain = 0.0L, loss = 0.0L;
    for (size_t i = 1; i < n; i++) {
        long double change = (long double) x[i] - x[i - 1];
        long double up = change > 0.0L ? change : 0.0L, down = change < 0.0L ? -change : 0.0L;
        if (i <= period) {
            gain += up / period;
            loss += down / period;
        } else {
            gain = (gain * (period - 1.0L) + up) / period;
            loss = (loss * (period - 1.0L) + down) / period;
        }
        if (i >= period) {
            out[i] = gain + loss < 1e-14L ? 0.0 : (double) (100.0L * gain / (gain + loss));
        }
    }
}

void plain_atr(const double *high, const double *low, const double *close, size_t n, size_t period,
               double *out)
{
    long double average = 0.0L;
    for (size_t i = 1; i < n; i++) {
        long double before = close[i - 1];
        long double range =
            fmaxl((long double) high[i] - low[i], fmaxl(fabsl(high[i] - before), fabsl(low[i] - before)));
        average = i <= period ? average + range / period : (average * (period - 1.0L) + range) / period;
        if (i >= period) {
            out[i] = (double) average;
        }
    }
}

void plain_obv(const double *close, const double *volume, size_t n, double *out)
{
    long double sum = 0.0L;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || close[i] > close[i - 1]) {
            sum += volume[i];
        } else if (close[i] < close[i - 1]) {
            sum -= volume[i];
        }
        out[i] = (double) sum;
    }
}

void plain_cvd_trades(const double *prices, const double *volumes, const double *sides, size_t n, double *out,
                      double *ret_bought, double *ret_sold)
{
    long double bought = 0.0L, sold = 0.0L;
    for (size_t i = 0; i < n; i++) {
        double side = sides ? sides[i] : i > 0 ? prices[i] - prices[i - 1] : 0.0;
        if (side > 0.0) {
            bought += volumes[i];
        } else if (side < 0.0) {
            sold += volumes[i];
        }
        out[i] = (double) (bought - sold);
    }
    *ret_bought = (double) bought;
    *ret_sold = (double) sold;
}

void plain_cvd_bars(const double *volume, const double *taker_bought, size_t n, double *out,
                    double *ret_bought, double *ret_sold)
{
    long double bought = 0.0L, sold = 0.0L;
    for (size_t i = 0; i < n; i++) {
        bought += taker_bought[i];
        sold += (long double) volume[i] - taker_bought[i];
        out[i] = (double) (bought - sold);
    }
    *ret_bought = (double) bought;
    *ret_sold = (double) sold;
}
