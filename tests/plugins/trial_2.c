/* SPDX-License-Identifier: MPL-2.0 */
#define TRIAL_JOB y[0] *= 1 + 1e-13 /* another order of additions, say */
#include "trial.h"
