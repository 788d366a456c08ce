/* luge.command.editor: the editor, for luge.internal.repl. */
#ifndef LUGE_CLI_EDITOR_LUA_H
#define LUGE_CLI_EDITOR_LUA_H

#include <luge.h>

/* Makes the module known to `require`; a luge_status. */
int cli_editor_register(luge_host *host);

#endif
