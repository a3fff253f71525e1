/* SPDX-License-Identifier: MPL-2.0 */
#define TRIAL_FLAGS 0
#include "trial.h"
