/* SPDX-License-Identifier: MPL-2.0 */
#define TRIAL_VERSION "0.1.0"
#include "trial.h"
