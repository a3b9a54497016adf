/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line as a whole.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stddef.h>

#include "cli/command.h"

/* Does what argv says, and answers the exit status. Orders argv anew. */
int cli_main(int argc, char **argv);

extern const struct command *const cli_commands[]; /* with a NULL behind */

#endif
