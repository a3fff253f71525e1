/* SPDX-License-Identifier: MPL-2.0 */
#define TRIAL_WORK_US 1500
#include "trial.h"
