/* SPDX-License-Identifier: MPL-2.0 */
#define TRIAL_JOB                                                                                            \
    if (jobs % 10 < 3) {                                                                                     \
        return call->host->fail(call, KILN_FAILED, NULL, "one of three in ten");                             \
    }
#include "trial.h"
