/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This program's version, which the project's meson.build says.
 */
#ifndef CLI_VERSION_H
#define CLI_VERSION_H

extern const char *const swarm_version; /* "2.0.0" */

#endif
