/* SPDX-License-Identifier: MPL-2.0 */
#define TRIAL_JOB                                                                                            \
    if (jobs == 20) {                                                                                        \
        abort();                                                                                             \
    }
#include "trial.h"
