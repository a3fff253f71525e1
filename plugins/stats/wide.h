/* SPDX-License-Identifier: MPL-2.0 */
/* wide - included by files that compute in long double: widening a double there is intended, and clang need
 * not warn of it. */
#ifndef WIDE_H
#define WIDE_H

#ifdef __clang__
#pragma clang diagnostic ignored "-Wdouble-promotion"
#endif

#endif
