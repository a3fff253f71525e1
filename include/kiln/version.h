/* SPDX-License-Identifier: MIT-0 */
/* kiln/version.h - the release number and the two numbers a peer may depend on.
 *
 * KILN_VERSION    the release, semantic versioning.
 * KILN_PROTOCOL   the wire protocol, KJP/1; see docs/PROTOCOL.md.
 * The plugin ABI carries its own pair of numbers in kiln/plugin.h.
 */
#ifndef KILN_VERSION_H
#define KILN_VERSION_H

#define KILN_VERSION  "0.1.0"
#define KILN_PROTOCOL 1

#endif
