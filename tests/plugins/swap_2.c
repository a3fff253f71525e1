/* SPDX-License-Identifier: MPL-2.0 */
#define VERSION 2
#include "swap.h"
