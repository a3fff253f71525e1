/* SPDX-License-Identifier: MPL-2.0 */
#define TRIAL_EXTRA
#include "trial.h"
