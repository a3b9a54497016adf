/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program. All of it is in the library of this layer, where tests can link it.
 */
#include "base/mem.h"
#include "cli/cli.h"

int main(int argc, char **argv)
{
	mem_tune();
	return cli_main(argc, argv);
}
