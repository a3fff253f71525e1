/* SPDX-License-Identifier: MPL-2.0 */
#define TRIAL_LESS
#include "trial.h"
