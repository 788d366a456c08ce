/* luge.command.build: what `luge build` needs of the command. */
#ifndef LUGE_CLI_BUILD_LUA_H
#define LUGE_CLI_BUILD_LUA_H

#include <luge.h>

/* Makes the module known to `require`; a luge_status. */
int cli_build_register(luge_host *host);

#endif
