/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program. All of it is in the library of this layer, where tests can link it.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"

/*
 * Where one of the three is closed, a file or a connection to come would get its number, and what
 * is printed. So the number is taken, by something that fails as a closed one does.
 */
static void take_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

int main(int argc, char **argv)
{
	take_standard_descriptors();
	mem_tune();
	return cli_main(argc, argv);
}
