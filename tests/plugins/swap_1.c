/* SPDX-License-Identifier: MPL-2.0 */
#define VERSION 1
#include "swap.h"
